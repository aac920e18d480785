"""Ledgers as released versions left them, one directory a version: each must come to the present one."""
