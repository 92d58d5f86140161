"""The operator's faceplate of an asset: a small page of its own, told of news over a WebSocket (decision 0013)."""
