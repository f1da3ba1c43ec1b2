"""Print one list of requirements from pyproject.toml: an extra's, or those of ``build-system``."""

import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

with open("pyproject.toml", "rb") as file:
    settings = tomllib.load(file)
extras = settings["project"]["optional-dependencies"]
print(*({"build-system": settings["build-system"]["requires"]} | extras)[sys.argv[1]])
