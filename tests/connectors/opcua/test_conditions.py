"""What clients hear of conditions, and what operators do to them, over SignAndEncrypt."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from asyncua import ua

from tagsight_connectors.alarming import Act
from tagsight_connectors.opcua import limits
from tests.connectors.opcua.alarmed_plant import ALARM, IDS, PUMP, AlarmedPlant, event_and_comment
from tests.connectors.opcua.served_plant import SECOND, START_NS

pytestmark = pytest.mark.asyncio(loop_scope="module")

Codes = ua.StatusCodes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AlarmedPlant]:
    plant = AlarmedPlant(tmp_path_factory.mktemp("plant"))
    plant.trust(plant.own())
    async with plant.make_server(anonymous=True):
        yield plant


@pytest_asyncio.fixture(loop_scope="module")
async def plant(running: AlarmedPlant) -> AlarmedPlant:
    """With its condition at rest."""
    running.alarms.acts.clear()
    running.alarms.broken = False
    await running.become(PUMP)
    return running


async def test_an_alarm_is_told_when_it_becomes_active(plant: AlarmedPlant) -> None:
    async with plant.listening() as (_, ear, _subscription):
        await plant.become(ALARM)
        event = await ear.next()
        assert event["EventType"] == ua.NodeId(IDS.ExclusiveLimitAlarmType)
        assert (event["ActiveState/Id"], event["AckedState/Id"], event["ConfirmedState/Id"]) == (True, False, True)
        assert (event["Message"].Text, event["Severity"], event["Retain"]) == ("P101: flow too low", 300, True)
        assert event["LimitState/CurrentState"].Text == "High"
        assert event["NodeId"].Identifier == PUMP.identifier
        assert event["SourceName"] == "P101/Health"


async def test_an_alarm_that_ends_unacknowledged_stays_retained(plant: AlarmedPlant) -> None:
    await plant.become(ALARM)
    async with plant.listening() as (_, ear, _subscription):
        await plant.become(replace(ALARM, active=False, active_ns=START_NS + SECOND))
        event = await ear.next()
        assert (event["ActiveState/Id"], event["Retain"], event["LimitState/CurrentState"]) == (False, True, None)


async def test_a_refresh_tells_what_operators_still_need_to_see(plant: AlarmedPlant) -> None:
    await plant.become(ALARM, replace(PUMP, identifier="P102/Health/Condition"))
    async with plant.listening() as (client, ear, subscription):
        assert await plant.refresh(client, subscription) == Codes.Good
        heard = [await ear.next() for _ in range(3)]
        start, end = ua.NodeId(IDS.RefreshStartEventType), ua.NodeId(IDS.RefreshEndEventType)
        assert [one["EventType"] for one in heard] == [start, ua.NodeId(IDS.ExclusiveLimitAlarmType), end]
        assert heard[1]["NodeId"].Identifier == PUMP.identifier


async def test_nobody_refreshes_the_subscription_of_another(plant: AlarmedPlant) -> None:
    async with plant.listening() as (_, _ear, subscription), plant.client("erik") as other:
        assert await plant.refresh(other, subscription) == Codes.BadSubscriptionIdInvalid


async def test_a_refresh_of_one_item_leaves_the_other_alone(plant: AlarmedPlant) -> None:
    await plant.become(ALARM)
    async with plant.listening() as (client, ear, subscription):
        numbers = [subscription.subscription_id, 999]
        arguments = [ua.Variant(one, ua.VariantType.UInt32) for one in numbers]
        answer = await plant.call(client, IDS.ConditionType_ConditionRefresh2, *arguments)
        assert answer == Codes.BadMonitoredItemIdInvalid
        assert ear.heard.empty()


async def test_an_acknowledgement_is_stored_with_name_and_comment_before_it_is_good(plant: AlarmedPlant) -> None:
    await plant.become(ALARM)
    async with plant.listening() as (client, ear, subscription):
        await plant.refresh(client, subscription)
        event = [await ear.next() for _ in range(3)][1]
        method = IDS.AcknowledgeableConditionType_Acknowledge
        assert await plant.call(client, method, *event_and_comment(event["EventId"], "filter is dirty")) == Codes.Good
        (act,) = plant.alarms.acts
        assert (act.act, act.user, act.comment) == (Act.ACKNOWLEDGE, "olga", "filter is dirty")
        assert (act.condition, act.occurrence) == (PUMP.identifier, ALARM.occurrence)
        assert ear.heard.empty()
        plant.alarms.follow()
        await plant.server.publish()
        event = await ear.next()
        assert (event["AckedState/Id"], event["ConfirmedState/Id"]) == (True, False)
        assert (event["Comment"].Text, event["ClientUserId"]) == ("filter is dirty", "olga")


async def test_what_cannot_be_stored_is_not_acknowledged(plant: AlarmedPlant) -> None:
    await plant.become(ALARM)
    plant.alarms.broken = True
    async with plant.listening() as (client, ear, subscription):
        await plant.refresh(client, subscription)
        event = [await ear.next() for _ in range(3)][1]
        method = IDS.AcknowledgeableConditionType_Acknowledge
        answer = await plant.call(client, method, *event_and_comment(event["EventId"], ""))
        assert answer == Codes.BadResourceUnavailable


async def test_who_is_not_signed_in_sees_alarms_and_does_nothing_to_them(plant: AlarmedPlant) -> None:
    await plant.become(ALARM)
    async with plant.listening("") as (client, ear, subscription):
        await plant.refresh(client, subscription)
        event = [await ear.next() for _ in range(3)][1]
        for method in (IDS.AcknowledgeableConditionType_Acknowledge, IDS.ConditionType_AddComment):
            answer = await plant.call(client, method, *event_and_comment(event["EventId"], "hello"))
            assert answer == Codes.BadUserAccessDenied
        assert await plant.call(client, IDS.ShelvedStateMachineType_OneShotShelve) == Codes.BadUserAccessDenied
        assert plant.alarms.acts == []


OLD_EVENT = (START_NS - SECOND).to_bytes(8, "big") + bytes(8)
EVENT = START_NS.to_bytes(8, "big") + bytes(8)


@pytest.mark.parametrize(
    ("method", "event", "state", "answer"),
    [
        pytest.param("Acknowledge", OLD_EVENT, ALARM, Codes.BadEventIdUnknown, id="an-older-alarm"),
        pytest.param("Acknowledge", b"short", ALARM, Codes.BadEventIdUnknown, id="no-event-of-ours"),
        pytest.param("Acknowledge", bytes(16), PUMP, Codes.BadEventIdUnknown, id="no-alarm-yet"),
        pytest.param(
            "Acknowledge",
            EVENT,
            replace(ALARM, acknowledged=True),
            Codes.BadConditionBranchAlreadyAcked,
            id="acknowledged-before",
        ),
        pytest.param("Confirm", EVENT, ALARM, Codes.BadConditionBranchAlreadyConfirmed, id="nothing-to-confirm"),
    ],
)
async def test_what_does_not_fit_is_refused(
    plant: AlarmedPlant, method: str, event: bytes, state: object, answer: int
) -> None:
    await plant.become(state)  # type: ignore[arg-type]
    async with plant.client() as client:
        number = getattr(IDS, f"AcknowledgeableConditionType_{method}")
        assert await plant.call(client, number, *event_and_comment(event, "")) == answer
        assert plant.alarms.acts == []


async def test_confirming_and_commenting_are_acts_of_their_own(plant: AlarmedPlant) -> None:
    await plant.become(replace(ALARM, acknowledged=True, confirmed=False))
    async with plant.client() as client:
        methods = (IDS.AcknowledgeableConditionType_Confirm, IDS.ConditionType_AddComment)
        for method in methods:
            assert await plant.call(client, method, *event_and_comment(EVENT, "done")) == Codes.Good
        assert [(act.act, act.comment) for act in plant.alarms.acts] == [(Act.CONFIRM, "done"), (Act.COMMENT, "done")]


async def test_a_shelved_alarm_says_until_when(plant: AlarmedPlant) -> None:
    await plant.become(ALARM)
    async with plant.listening() as (client, ear, _subscription):
        minute = ua.Variant(60_000.0, ua.VariantType.Double)
        assert await plant.call(client, IDS.ShelvedStateMachineType_TimedShelve, minute) == Codes.Good
        plant.alarms.follow()
        await plant.server.publish()
        event = await ear.next()
        assert event["ShelvingState/CurrentState/Id"] == ua.NodeId(IDS.ShelvedStateMachineType_TimedShelved)
        assert 0 < event["ShelvingState/UnshelveTime"] <= 60_000
        assert event["SuppressedOrShelved"] is True
        assert await plant.call(client, IDS.ShelvedStateMachineType_OneShotShelve) == Codes.BadConditionAlreadyShelved
        assert await plant.call(client, IDS.ShelvedStateMachineType_Unshelve) == Codes.Good
        (shelved, unshelved) = plant.alarms.acts
        assert (shelved.until_ns - shelved.time_ns, unshelved.act) == (60 * SECOND, Act.UNSHELVE)


@pytest.mark.parametrize("wanted_ms", [0.0, -1.0, float("nan"), float("inf"), 3_600_001.0])
async def test_shelving_has_a_longest_time(plant: AlarmedPlant, wanted_ms: float) -> None:
    async with plant.client() as client:
        wanted = ua.Variant(wanted_ms, ua.VariantType.Double)
        answer = await plant.call(client, IDS.ShelvedStateMachineType_TimedShelve, wanted)
        assert answer == Codes.BadShelvingTimeOutOfRange


async def test_what_is_not_shelved_cannot_be_unshelved(plant: AlarmedPlant) -> None:
    async with plant.client() as client:
        answer = await plant.call(client, IDS.ShelvedStateMachineType_Unshelve)
        assert answer == Codes.BadConditionNotShelved


@pytest.mark.parametrize(
    ("method", "arguments", "answer"),
    [
        pytest.param(IDS.Server_GetMonitoredItems, [], Codes.BadMethodInvalid, id="not-a-method-of-conditions"),
        pytest.param(IDS.ShelvedStateMachineType_TimedShelve, [], Codes.BadArgumentsMissing, id="too-few"),
        pytest.param(IDS.ShelvedStateMachineType_Unshelve, [ua.Variant(1.0)], Codes.BadTooManyArguments, id="too-many"),
        pytest.param(
            IDS.ShelvedStateMachineType_TimedShelve, [ua.Variant("x")], Codes.BadInvalidArgument, id="of-another-type"
        ),
        pytest.param(
            IDS.AcknowledgeableConditionType_Acknowledge,
            event_and_comment(EVENT, "x" * (limits.SERVER_COMMENT_CHARACTERS + 1)),
            Codes.BadOutOfRange,
            id="a-novel",
        ),
    ],
)
async def test_calls_are_checked(plant: AlarmedPlant, method: int, arguments: list[ua.Variant], answer: int) -> None:
    await plant.become(ALARM)
    async with plant.client() as client:
        assert await plant.call(client, method, *arguments) == answer


async def test_a_condition_that_there_is_not_is_unknown(plant: AlarmedPlant) -> None:
    async with plant.client() as client:
        method = IDS.ShelvedStateMachineType_OneShotShelve
        assert await plant.call(client, method, on="P999/Health/Condition") == Codes.BadNodeIdUnknown


async def test_the_last_word_on_a_condition_that_goes_is_that_it_is_disabled(plant: AlarmedPlant) -> None:
    await plant.become(ALARM)
    async with plant.listening() as (_, ear, _subscription):
        await plant.become()
        event = await ear.next()
        assert (event["EnabledState/Id"], event["Retain"]) == (False, False)


async def test_a_client_that_does_not_fetch_its_events_is_told_that_it_lost_some(
    plant: AlarmedPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SERVER_EVENTS_PER_ITEM", 5)
    many = [replace(ALARM, identifier=f"P{number}/Health/Condition") for number in range(50)]
    async with plant.listening() as (_, ear, _subscription):
        await plant.become(*many)
        heard = [await ear.next() for _ in range(5)]
        assert heard[0]["EventType"] == ua.NodeId(IDS.EventQueueOverflowEventType)
        assert [one["NodeId"].Identifier for one in heard[1:]] == [one.identifier for one in many[-4:]]
        assert ear.heard.empty()


async def test_event_items_have_a_budget(plant: AlarmedPlant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SERVER_EVENT_ITEMS_PER_SESSION", 0)
    with pytest.raises(ua.uaerrors.BadTooManyMonitoredItems):
        async with plant.listening():
            pass


async def test_a_server_without_alarms_has_no_methods(tmp_path: Path) -> None:
    plant = AlarmedPlant(tmp_path)
    plant.alarms = None  # type: ignore[assignment]
    plant.trust(plant.own())
    async with plant.make_server(), plant.client() as client:
        with pytest.raises(ua.uaerrors.BadServiceUnsupported):
            await plant.call(client, IDS.ShelvedStateMachineType_Unshelve)


async def test_however_often_a_client_refreshes_an_alarm_takes_its_memory_once(plant: AlarmedPlant) -> None:
    await plant.become(ALARM)
    async with plant.listening() as (client, ear, subscription):
        told: list[object] = []
        queue = plant.server._server.iserver.subscription_service.subscriptions[subscription.subscription_id]
        enqueue = queue._pop_publish_result

        def remembering() -> object:
            result = enqueue()
            lists = [data.Events for data in result.NotificationMessage.NotificationData if hasattr(data, "Events")]
            told.extend(one for events in lists for one in events)
            return result

        queue._pop_publish_result = remembering
        for _ in range(3):
            await plant.refresh(client, subscription)
            for _ in range(3):
                await ear.next()
        of_alarm = [one for number, one in enumerate(told) if number % 3 == 1]
        assert len({id(one) for one in of_alarm}) == 1


async def test_more_methods_than_announced_are_refused(plant: AlarmedPlant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SERVER_METHODS_PER_CALL", 0)
    async with plant.client() as client:
        with pytest.raises(ua.uaerrors.BadTooManyOperations):
            await plant.call(client, IDS.ShelvedStateMachineType_Unshelve)
