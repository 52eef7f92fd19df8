"""Suite files: their YAML, the models of their shape, overrides, validation, and the JSON Schema for editors."""
