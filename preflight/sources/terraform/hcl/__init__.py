"""Terraform's configuration language, from files to the resources of a root module.

`reader` is the way in; `syntax` and `convert` know the language's form, `evaluate` and `functions` its meaning,
`module` what a module's blocks declare. Nothing here knows what a resource means for a project.
"""
