"""The commands: one module each, exposing `command: click.Command`; `tagsight.__main__` names them all.

A command reads its options, calls the parts and prints; what is heavy it imports inside its functions, so that the
help of any command answers at once. Options that several commands share are in `options`.
"""
