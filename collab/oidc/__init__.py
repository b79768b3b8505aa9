"""Signing in by a provider that speaks OpenID Connect; the one door to Authlib and joserfc."""
