"""OPC UA: the client connector (`client`), the server of ours (`server_*`), and what both share.

The only package that imports asyncua. Floors of the client side, lowest first: `certificates`, `trust_rules`,
`trust_chain`, `trust`; `wire`, `variants`, `decoding`; `error_mapping`, `address`, `request_size` -> `paging`,
`history_read`, `service` -> `data_types` -> `browsing`, `writing`, `session` -> `client`.
"""
