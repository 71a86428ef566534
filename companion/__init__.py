"""Companion package of the course *From Neurons to GANs*.

Importing it is quick: it prints nothing, seeds nothing, touches no GPU and loads neither matplotlib nor
ipywidgets. Its parts are imported by name: ``from companion import nn``, ``from companion.claims import claim``.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("neurons-to-gans")
except PackageNotFoundError:  # used from a checkout that was never installed
    __version__ = "0+unknown"
