"""The WOPI host: what office suites ask for, answered from the same rooms and files as everybody's."""
