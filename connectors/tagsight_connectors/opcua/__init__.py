"""OPC UA: the client connector (`client`), the server of ours (`server_*`), and what both share.

The only package that imports asyncua. Floors of the client side, lowest first: `certificates`, `trust_rules`,
`trust_chain`, `trust`; `wire`, `variants`, `decoding`; `error_mapping`, `address`, `request_size` -> `paging`,
`history_read`, `service` -> `data_types` -> `enumerations` -> `value_forms`, `tag_facts` -> `browsing`, `subscription`,
`writing`, `session` -> `client`. `selection` needs nothing.
"""
