"""What reached a module, and how each of its listeners fared."""
