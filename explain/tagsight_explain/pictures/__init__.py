"""Pictures of explanations and models for reports and pages: SVG and PNG, the one place of matplotlib.

Every picture is a plain function from values to bytes; its `Look` says language, form and time zone. Floors: `canvas`
(sizes, palette, fonts, bytes) -> `marks` (what several pictures have) -> one file for each picture. The palette
follows ISA-101: greys, and one colour for what is abnormal, which differs from the greys in lightness or in hatching
too, so that a picture can be read in black and white. Nothing here is imported by the service or the tag server.
"""
