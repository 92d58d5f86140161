"""asyncua's monitored items, without a deep copy of every value that they compare.

asyncua 2.1 copies each value of each item to compare it with the next one: 0.1 ms, so that 10,000 changes held the
event loop for more than a second. Values of our servers are made once and never changed, so the value itself is kept.
The class replaced here is private: `test_uncopied_values.py` pins what we rely on. It holds for the whole process.
"""

from typing import Any

from asyncua.server import monitored_item_service


class UncopiedValues(monitored_item_service.MonitoredItemValues):  # type: ignore[misc]
    """The newest value of an item, and the one before."""

    current_dvalue: Any
    old_dvalue: Any

    def set_current_datavalue(self, cur_val: Any) -> None:
        """Remember a value that nobody will change."""
        self.old_dvalue = self.current_dvalue
        self.current_dvalue = cur_val


def install_uncopied_values() -> None:
    """For every item made from now on; calling again changes nothing."""
    monitored_item_service.MonitoredItemValues = UncopiedValues
