"""What an operator does with whole states: backups and exports, beside a running server or without one."""
