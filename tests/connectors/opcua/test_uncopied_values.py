"""What asyncua's monitored items compare, once the copies are gone."""

from asyncua import ua
from asyncua.server.monitored_item_service import MonitoredItemData, MonitoredItemService

from tagsight_connectors.opcua.uncopied_values import UncopiedValues, install_uncopied_values


def test_items_of_asyncua_keep_values_themselves_and_still_see_changes() -> None:
    install_uncopied_values()
    values = MonitoredItemData().mvalue
    assert isinstance(values, UncopiedValues)
    first, same, other = (ua.DataValue(ua.Variant(number)) for number in (1.0, 1.0, 2.0))
    trigger = ua.DataChangeTrigger.StatusValue
    seen = []
    for value in (first, same, other):
        values.set_current_datavalue(value)
        seen.append(MonitoredItemService._is_data_changed(values, trigger))
    assert values.get_current_datavalue() is other
    assert seen == [True, False, True]
