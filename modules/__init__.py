"""The modules of the reference application; none imports another."""
