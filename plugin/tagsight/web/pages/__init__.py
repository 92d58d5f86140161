"""The engineer's pages: one file each, with `build(site, visitor)` that draws it, and a row in `web.routes`."""
