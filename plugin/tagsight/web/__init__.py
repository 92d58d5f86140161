"""The pages: a process of its own for browsers, NiceGUI on FastAPI; the operator's faceplate on FastAPI alone.

It reads the ledger, appends to the inbox and never imports torch; its death stops nothing.

Floors, from the ground: `words`, `visitors`, `tokens`, `first_link` -> `routes` (who may open what: the role table) ->
`site` (what every page reads and writes through) -> `sign_in`, `headers`, `body_limit`, `gate` (every request passes
it) -> `faceplate/` and `shell` -> `pages/` (one file each) -> `application` -> `certificate`, `process`.
"""
