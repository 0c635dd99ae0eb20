"""Makes the doubles beside this file importable from every test."""
