"""OPC UA: the client connector (`client`), the server of ours (`server_*`), and what both share.

The only package that imports asyncua. Floors of the client side, lowest first: `certificates`, `trust_rules`,
`trust_chain`, `trust`, `address`, `error_mapping` -> `decoding`, `service` -> `paging`, `history_read`, `browsing`,
`writing` -> `client`.
"""
