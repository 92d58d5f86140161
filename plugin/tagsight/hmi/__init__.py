"""Ready-made displays for HMIs that other people make: pure functions from a plan's output tags to files.

Floors, from the ground: `addresses` (where tags and pages are, as an HMI asks for them), `drawing` (a view of FUXA:
shapes with live items, every word escaped) -> `overview`, `faceplate` (what stands in FUXA's views) -> `fuxa` (the
project). `ignition` (tags) and `perspective` (the view that goes with them) stand on `addresses` alone. Nothing here
connects, reads files or knows the time: the same plan gives the same bytes.
"""
