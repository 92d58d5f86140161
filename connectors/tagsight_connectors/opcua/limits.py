"""Hard limits on what comes from outside over OPC UA. One line of reason each; `docs/limits.md` lists them."""

from typing import Final

# Messages, both directions of decoding

DECODED_ELEMENTS: Final = 50_000
"""Array elements of one request that become Python objects; about 1 KB each, so some 50 MB at worst."""

MATRIX_ELEMENTS: Final = 50_000
"""Elements that the dimensions of one matrix may declare; asyncua fills the missing ones with empty lists."""

# The server: messages and connections

SERVER_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""Longest request; intermediate chunks beyond it close the connection."""

SERVER_MESSAGE_CHUNKS: Final = 65
"""Chunks of one request: 4 MiB in chunks of 64 KiB, and one more."""

SERVER_CHUNK_BYTES: Final = 65_535
"""Longest chunk in either direction; what is announced in Acknowledge."""

SERVER_CHUNK_BYTES_LEAST: Final = 8_192
"""Shortest chunk size that a client may ask for (OPC 10000-6, 7.1.2.3)."""

SERVER_UNSECURED_BYTES: Final = 64 * 1024
"""Longest request before a secure channel is open: discovery is small, so floods stay small."""

SERVER_WAITING_BYTES: Final = 256 * 1024
"""Received bytes that wait for their turn; beyond it we stop reading from the socket."""

SERVER_UNSENT_BYTES: Final = 16 * 1024 * 1024
"""Bytes that a client has not fetched; beyond it the connection is cut."""

SERVER_CONNECTIONS: Final = 100
"""Open sockets of all clients."""

SERVER_CONNECTIONS_PER_ADDRESS: Final = 50
"""Open sockets of one network address."""

SERVER_ACTIVATION_SECONDS: Final = 30.0
"""A connection without an activated session is closed after this time."""

# The server: sessions and what they hold

SERVER_SESSIONS: Final = 100
"""Sessions of all clients; a session with subscriptions outlives its connection."""

SERVER_SESSIONS_PER_ADDRESS: Final = 50
"""Sessions of one network address."""

SERVER_SESSION_TIMEOUT_MS: Final = 120_000.0
"""Longest session timeout granted: the longest that an abandoned session holds its budget."""

SERVER_SUBSCRIPTIONS_PER_SESSION: Final = 20
"""Subscriptions of one session."""

SERVER_SUBSCRIPTIONS: Final = 200
"""Subscriptions of all sessions."""

SERVER_MONITORED_ITEMS_PER_SESSION: Final = 25_000
"""Monitored items of one session: 1,000 models of 20 outputs and some."""

SERVER_MONITORED_ITEMS: Final = 60_000
"""Monitored items of all sessions."""

SERVER_QUEUE_PER_ITEM: Final = 100
"""Values queued for one monitored item."""

SERVER_UNACKNOWLEDGED: Final = 100
"""Notifications of one subscription kept for a client that does not acknowledge."""

SERVER_UNACKNOWLEDGED_BYTES: Final = 4 * 1024 * 1024
"""Bytes of them; beyond it the oldest go."""

SERVER_VALUES_PER_MESSAGE: Final = 10_000
"""Values of one notification; further ones follow in the next. A client may ask for fewer."""

SERVER_NOTIFICATION_BYTES: Final = 1024 * 1024
"""Bytes of one notification, about: long texts must not make a message that the client refuses."""

SERVER_PUBLISHING_MS_LEAST: Final = 50.0
"""Shortest publishing interval granted."""

SERVER_PUBLISHING_MS_MOST: Final = 3_600_000.0
"""Longest publishing interval granted."""

SERVER_LOGIN_FAILURES: Final = 10
"""Wrong passwords of one address in a minute; further ones are refused without looking."""

SERVER_LOGINS_AT_ONCE: Final = 2
"""Passwords checked at the same time; checking one is costly by design (argon2)."""

SERVER_CREDENTIAL_BYTES: Final = 1_024
"""Longest user name or password."""

# The server: operations of one request (announced as OperationLimits)

SERVER_NODES_PER_READ: Final = 10_000
"""Nodes of one Read."""

SERVER_NODES_PER_WRITE: Final = 1_000
"""Nodes of one Write."""

SERVER_NODES_PER_BROWSE: Final = 100
"""Nodes of one Browse; each may answer with a folder of 1,000 children."""

SERVER_NODES_PER_TRANSLATE: Final = 1_000
"""Browse paths of one TranslateBrowsePathsToNodeIds."""

SERVER_NODES_PER_REGISTER: Final = 10_000
"""Nodes of one RegisterNodes."""

SERVER_NODES_PER_HISTORY_READ: Final = 100
"""Nodes of one HistoryRead."""

SERVER_ITEMS_PER_CALL: Final = 10_000
"""Monitored items of one call."""

SERVER_HISTORY_PAGE: Final = 50_000
"""Values of one node in one HistoryRead answer; the rest follows by continuation point."""

SERVER_HISTORY_VALUES_PER_ANSWER: Final = 200_000
"""Values of all nodes in one HistoryRead answer: about 5 MB."""

SERVER_CONTINUATION_POINTS: Final = 200
"""Continuation points of one session; each holds no data, only where to go on."""

SERVER_TEXT_BYTES: Final = 4_096
"""Longest text that a client may write."""

SERVER_FOLDER_CHILDREN: Final = 1_000
"""Children of one folder; further ones go into a folder `more` in it (HMIs choke on longer lists)."""

# The server: alarms and methods

SERVER_METHODS_PER_CALL: Final = 100
"""Methods of one Call: an operator who acknowledges a screen of alarms."""

SERVER_EVENT_ITEMS_PER_SESSION: Final = 10
"""Monitored items for events of one session; an HMI needs one."""

SERVER_EVENT_ITEMS: Final = 200
"""Monitored items for events of all sessions."""

SERVER_EVENTS_PER_ITEM: Final = 2_000
"""Events queued for one monitored item: a refresh of 1,000 alarms, twice. Then the oldest go, and an event says so."""

SERVER_EVENT_FIELDS: Final = 100
"""Fields that one event filter may select: the alarm type has some 60."""

SERVER_FILTER_ELEMENTS: Final = 50
"""Elements of the where clause of one event filter."""

SERVER_COMMENT_CHARACTERS: Final = 1_000
"""Longest comment of an operator."""

# Logs

LOG_LINES_PER_MINUTE: Final = 20
"""Lines of one kind (logger and template) a minute; the rest is counted."""

LOG_LINE_CHARACTERS: Final = 500
"""Longest message that a foreign library may log."""
