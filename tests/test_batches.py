"""Event batches as they are read: what they say, and what is said of those that are wrong."""

import json
from typing import Any

import pytest

from idsync_cli import wire
from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.data.values import BatchDevice, NewEvent
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.request import BatchRequest
from idsync_cli.wire.batches import Batch
from tests.comparison import organization
from tests.core.shorthand import check_message, identifiers

Json = dict[str, Any]
RULES = organization(
    {
        "s": {"strategy": "best_match", "priority": ["customer_id", "email", "ios_idfv"]},
        "t": {"strategy": "best_match", "priority": ["email"]},
    },
    {"shop": "s"},
)
EVENT: Json = {"event_type": "custom_event", "data": {"event_name": "hello"}}
NOW = 1_700_000_000_000
TIMED: Json = EVENT | {"data": {"timestamp_unixtime_ms": 1234}}


def reading(**members: Any) -> wire.Reading:
    given: Json = {"type": "batch", "scope": "s", "user_identities": {"email": "a"}} | members
    return wire.Reader(RULES).read(given)


def batch(**members: Any) -> Batch:
    read = reading(**members)
    assert read.refusal is None
    assert read.late_refusal is None
    assert read.batch is not None
    return read.batch


def event(**members: Any) -> NewEvent:
    [found] = batch(events=[EVENT | members]).data.events
    return found


def named(**data: Any) -> str | None:
    return event(event_type=data.pop("event_type"), data=data).name


def refusal(**members: Any) -> Refusal:
    """What is wrong with the data of a batch."""
    found = reading(**members).late_refusal
    assert found is not None
    check_message(found.message)
    return found


# ---- Events


def test_an_event_is_kept_whole_with_its_type_name_and_time() -> None:
    data = {"event_name": "hello", "timestamp_unixtime_ms": NOW, "z": [1.5, None, {"ü": "\n"}]}
    whole = {"event_type": "custom_event", "data": data, "event_id": 5}
    [found] = batch(events=[whole]).data.events
    assert (found.time_ms, found.event_type, found.name) == (NOW, "custom_event", "hello")
    assert json.loads(found.text) == whole


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"event_type": "custom_event", "event_name": "a"}, "a"),
        ({"event_type": "whatever", "event_name": "a", "screen_name": "b"}, "a"),
        ({"event_type": "screen_view", "screen_name": "b", "event_name": "a"}, "b"),
        ({"event_type": "commerce_event", "product_action": {"action": "purchase"}}, "purchase"),
        ({"event_type": "commerce_event", "event_name": "a"}, None),
        ({"event_type": "commerce_event", "product_action": "purchase"}, None),
        ({"event_type": "session_start"}, None),
        ({"event_type": "custom_event", "event_name": 5}, None),
    ],
)
def test_the_name_of_an_event_is_where_its_type_has_it(data: Json, name: str | None) -> None:
    assert named(**data) == name


def test_an_event_without_a_time_has_that_of_the_batch_or_of_the_request() -> None:
    timed = {"event_type": "x", "data": {"timestamp_unixtime_ms": NOW + 2}}
    times = {"timestamp_unixtime_ms": NOW, "request_timestamp_ms": NOW + 1}
    for given, expected in (
        (times, NOW),
        ({"request_timestamp_ms": NOW + 1}, NOW + 1),
        ({"timestamp_unixtime_ms": None, "request_timestamp_ms": "x"}, None),
        ({}, None),
    ):
        events = batch(events=[EVENT, timed], **given).data.events
        assert [each.time_ms for each in events] == [expected, NOW + 2]
        assert reading(events=[EVENT], **given).request_timestamp_ms == expected


def test_what_is_null_in_a_list_is_left_out() -> None:
    found = batch(
        events=[None, EVENT, None],
        deleted_user_attributes=[None, "a"],
        user_attributes={"l": [None, "x", None, 1]},
    ).data
    assert (len(found.events), found.deleted) == (1, ("a",))
    assert found.attributes == {"l": '["x", 1]'}


@pytest.mark.parametrize("entries", [["x"] * 1000 + [None] * 2, [None, *["x"] * 1000]])
def test_what_is_left_out_of_a_list_does_not_count(entries: list[str | None]) -> None:
    found = batch(user_attributes={"l": entries}).data
    assert found.attributes == {"l": json.dumps(["x"] * 1000)}


@pytest.mark.parametrize(
    ("data", "opted_out"),
    [({}, True), ({"is_opted_out": True}, True), ({"is_opted_out": False}, False),
     ({"is_opted_out": None}, True), ({"is_opted_out": "no"}, True)],
)  # fmt: skip
def test_an_opt_out_counts_unless_it_says_false(data: Json, opted_out: bool) -> None:
    assert batch(events=[{"event_type": "opt_out", "data": data}]).data.is_opted_out is opted_out
    assert batch(events=[EVENT]).data.is_opted_out is None


def test_the_install_attribution_is_that_of_the_event_or_else_of_the_batch() -> None:
    attribution = {"publisher": "p", "campaign": "c"}
    data = {"custom_event_type": "attribution", "event_name": "attribution"}
    it = {"event_type": "custom_event", "data": data | {"custom_attributes": attribution}}
    others = [
        it | {"event_type": "profile"},
        it | {"data": it["data"] | {"event_name": "other"}},  # type: ignore[operator]
        it | {"data": it["data"] | {"custom_event_type": "other"}},  # type: ignore[operator]
        it | {"data": data},
    ]
    info = {"service_provider": "s"}
    assert batch(events=others).data.attribution is None
    assert batch(events=others, attribution_info=info).data.attribution == json.dumps(info)
    told = batch(events=[it, *others], attribution_info=info).data.attribution
    assert told == json.dumps(attribution)


# ---- Attributes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Bern", '"Bern"'), ("", '""'), ("Zürich \"1\"\n\0", '"Zürich \\"1\\"\\n\\u0000"'),
        (1, "1"), (-1.50, "-1.5"), (True, "true"), (False, "false"), (None, "null"),
        (["x", 1, None, False, 2.5], '["x", 1, false, 2.5]'), ([], "[]"), (10**30, "1" + "0" * 30),
        ("x" * 4096, json.dumps("x" * 4096)), (["x" * 512] * 1000, json.dumps(["x" * 512] * 1000)),
    ],
)  # fmt: skip
def test_an_attribute_is_kept_as_json(value: object, text: str) -> None:
    assert batch(user_attributes={"a": value}).data.attributes == {"a": text}
    assert json.loads(text) == json.loads(text)


def test_names_are_deleted_also_those_that_an_event_says_are_gone() -> None:
    def gone(name: object, *, deleted: object = True) -> Json:
        data = {"user_attribute_name": name, "deleted": deleted}
        return {"event_type": "user_attribute_change", "data": data}

    found = batch(
        user_attributes={"kept": 1, "both": 2},
        deleted_user_attributes=["b", "a", "both", "b"],
        events=[gone("c"), gone("kept"), gone("d", deleted=False), gone("a"), gone(5)],
    ).data
    assert found.deleted == ("b", "a", "both", "c")
    assert list(found.attributes or ()) == ["kept", "both"]


# ---- Identifiers


def test_the_identifiers_are_those_of_the_user_and_of_the_device() -> None:
    found = batch(
        user_identities={"customerid": "A1", "other2": None, "email": ""},
        device_info={"ios_advertising_id": "i", "android_id": "", "platform": "iOS", "email": "x"},
        mp_deviceid="d",
    )
    assert found.fault is None
    assert {*found.identifiers} == {
        *identifiers(customer_id="A1", ios_idfa="i", device_application_stamp="d")
    }


def test_digits_beyond_count_may_not_be_lost_unseen() -> None:
    for sign in ("", "-"):
        line = f'{{"type": "batch", "scope": "s", "user_attributes": {{"a": {sign}{"9" * 9999}}}}}'
        [incoming] = wire.LineReader().requests([(1, line.encode())])
        found = wire.Reader(RULES).read(incoming.request).late_refusal
        assert found is not None
        assert found.code is ErrorCode.INVALID_BATCH


def test_an_integer_is_taken_as_its_digits_and_other_values_are_passed_over() -> None:
    found = batch(
        user_identities={"customer_id": 10**30, "other": 0, "yahoo": True, "email": 1.5},
        device_info={"idfv": False, "das": -7},
    )
    assert [*found.identifiers] == [
        *identifiers(customer_id=str(10**30), device_application_stamp="-7")
    ]
    names = ("email", "yahoo", "other", "ios_idfv")
    assert found.passed_over == tuple(map(IdentityType, names))


@pytest.mark.parametrize(
    ("members", "code", "words"),
    [
        ({"user_identities": {"emial": None}}, ErrorCode.UNKNOWN_IDENTITY_TYPE, ["emial", "email"]),
        (
            {"user_identities": {"email": "a", "idfv": "b"}, "device_info": {"ios_idfv": "c"}},
            ErrorCode.INVALID_REQUEST,
            ["two values", "ios_idfv", "user_identities", "device_info"],
        ),
        (
            {"user_identities": {"customer_id": "a", "customerid": "b"}},
            ErrorCode.INVALID_REQUEST,
            ["user_identities has two values of customer_id"],
        ),
        (
            {"device_info": {"das": "a"}, "mp_deviceid": "b"},
            ErrorCode.INVALID_REQUEST,
            ["device_application_stamp", "mp_deviceid"],
        ),
        ({"user_identities": {"email": []}}, ErrorCode.INVALID_IDENTITY_VALUE, ["a list", "email"]),
        ({"user_identities": {"email": "a\0"}}, ErrorCode.INVALID_IDENTITY_VALUE, ["NUL"]),
        ({"mp_deviceid": "x" * 4097}, ErrorCode.INVALID_IDENTITY_VALUE, ["4,097"]),
        ({"user_identities": {}}, ErrorCode.NO_IDENTITIES, ["user_identities", "mpid"]),
        (
            {"user_identities": {}, "known_identities": {"email": "a"}},
            ErrorCode.NO_IDENTITIES,
            ["user_identities", "known_identities"],
        ),
    ],
)
def test_what_is_wrong_with_identifiers_counts_where_they_do(
    members: Json, code: ErrorCode, words: list[str]
) -> None:
    fault = batch(**members).fault
    assert fault is not None
    assert fault.code is code
    check_message(fault.message, *words)
    named = batch(**members, mpid="5")
    assert (named.fault, named.identifiers, named.passed_over) == (None, (), ())


def test_the_same_value_twice_is_one() -> None:
    found = batch(
        user_identities={"idfv": "a", "ios_idfv": "a", "customer_id": 5, "customerid": "5"},
        device_info={"ios_vendor_id": "a"},
    )
    assert {*found.identifiers} == {*identifiers(customer_id="5", ios_idfv="a")}


# ---- Devices


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, None),
        ({"device_info": {}, "ip": None}, None),
        ({"mp_deviceid": "d", "device_info": {"idfv": "v"}}, None),
        (
            {"device_info": {"push_token": "p", "android_aaid": "a", "gaid": "", "brand": None}},
            ("android_aaid", "a", {"device_info": {"brand": None}}),
        ),
        (
            {"user_identities": {"idfv": "v"}, "mp_deviceid": "d", "ip": "::1"},
            ("device_application_stamp", "d", {"ip": "::1"}),
        ),
        (
            {"device_info": {"platform": "web"}, "environment": "production"},
            (None, None, {"device_info": {"platform": "web"}, "environment": "production"}),
        ),
        (
            {"application_info": {"name": "Shop"}, "user_identities": {"push_token": 5}},
            ("push_token", "5", {"application_info": {"name": "Shop"}}),
        ),
    ],
)
def test_what_is_said_of_a_device_is_kept_by_its_stamp_or_first_identifier(
    members: Json, expected: tuple[str | None, str | None, Json] | None
) -> None:
    found = batch(**members).data.device
    if expected is None:
        assert found is None
        return
    kind, value, info = expected
    of = None if kind is None or value is None else identifiers(**{kind: value})[0]
    assert found == BatchDevice(of, json.dumps(info))


def test_a_device_that_comes_with_an_mpid_is_data() -> None:
    info = {"ios_idfv": "v", "push_token": [], "platform": "iOS"}
    found = batch(mpid=5, device_info=info).data.device
    [idfv] = identifiers(ios_idfv="v")
    assert found == BatchDevice(idfv, json.dumps({"device_info": info}))


# ---- Members


@pytest.mark.parametrize("nobody", [None, "", 0, "0"])
def test_an_mpid_of_nobody_is_as_good_as_absent(nobody: object) -> None:
    read = reading(mpid=nobody)
    assert read.mpid is None
    assert batch(mpid=nobody).identifiers == [*identifiers(email="a")]


@pytest.mark.parametrize(("given", "mpid"), [("5", 5), (-5, -5), ("@l", "l")])
def test_an_mpid_is_text_a_number_or_a_label(given: object, mpid: object) -> None:
    assert reading(mpid=given).mpid == mpid


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"mpid": "x"}, ["mpid", "'x'"]),
        ({"events": {}}, ["events", "a list"]),
        ({"user_attributes": []}, ["user_attributes", "an object"]),
        ({"user_identities": "a"}, ["user_identities", "an object"]),
        ({"device_info": 5}, ["device_info"]),
        ({"deleted_user_attributes": "a"}, ["deleted_user_attributes", "a list"]),
        ({"consent_state": "yes"}, ["consent_state"]),
        ({"attribution_info": []}, ["attribution_info"]),
        ({"source_request_id": 5}, ["source_request_id", "text"]),
        ({"label": 5}, ["label", "text"]),
        ({"scope": None}, ["no scope"]),
    ],
)
def test_a_member_of_another_kind_is_refused(members: Json, words: list[str]) -> None:
    found = reading(**members).refusal
    assert found is not None
    assert found.code is ErrorCode.INVALID_REQUEST
    check_message(found.message, *words)


def test_members_that_nobody_names_are_passed_over() -> None:
    odd: Json = {
        "api_key": [], "sdk_version": 5, "previous_mpid": {}, "known_identities": "x",
        "identity_changes": 5, "request_id": 5, "client_sdk": "x", "integration_attributes": {},
    }  # fmt: skip
    read = reading(**odd)
    assert (read.refusal, read.late_refusal, read.request_id) == (None, None, None)
    assert read.previous_mpid is None
    assert reading(request_id="r").request_id == "r"


def test_a_digest_hangs_on_the_workspace_or_else_on_the_scope() -> None:
    def digest(target: wire.Target | None = None, key: bytes = b"k", **members: Any) -> object:
        given = {"type": "batch", "user_identities": {"email": "a"}} | members
        return wire.Reader(RULES, target, key).read(given).digest

    of_the_shop = digest(workspace="shop", source_request_id="1")
    assert of_the_shop == digest(workspace="shop", scope="s", source_request_id="1")
    assert of_the_shop == digest(wire.Target(workspace="shop"), source_request_id="1")
    others = [
        digest(scope="s", source_request_id="1"),
        digest(wire.Target(workspace="shop"), scope="s", source_request_id="1"),
        digest(scope="t", source_request_id="1"),
        digest(workspace="shop", source_request_id="2"),
        digest(workspace="shop", source_request_id="1", key=b"other"),
    ]
    assert others[0] == others[1]
    assert len({of_the_shop, *others}) == 5
    for none in (None, ""):
        assert digest(scope="s", source_request_id=none) is None


# ---- What is wrong with the data, by its place

LONG = "x" * 257


@pytest.mark.parametrize(
    ("members", "place", "words"),
    [
        ({"events": ["hello"]}, "events[0]", ["an object"]),
        ({"events": [EVENT, {}]}, "events[1]", ["no event_type", "custom_event"]),
        ({"events": [None, {"event_type": ""}]}, "events[1]", ["no event_type"]),
        ({"events": [{"event_type": 5}]}, "events[0].event_type", ["'5'", "text"]),
        ({"events": [{"event_type": LONG}]}, "events[0].event_type", ["257", "256"]),
        ({"events": [{"event_type": "x\0"}]}, "events[0].event_type", ["NUL"]),
        ({"events": [EVENT | {"data": "x"}]}, "events[0].data", ["an object"]),
        (
            {"events": [EVENT | {"data": {"event_name": LONG}}]},
            "events[0].data.event_name",
            ["257 characters", "256"],
        ),
        (
            {"events": [{"event_type": "screen_view", "data": {"screen_name": "\ud800"}}]},
            "events[0].data.screen_name",
            ["surrogate"],
        ),
        (
            {
                "events": [
                    {"event_type": "commerce_event", "data": {"product_action": {"action": LONG}}}
                ]
            },
            "events[0].data.product_action.action",
            ["257"],
        ),
        (
            {
                "events": [
                    EVENT | {"data": {"custom_attributes": dict.fromkeys(map(str, range(101)))}}
                ]
            },
            "events[0].data.custom_attributes",
            ["101 attributes", "100"],
        ),
        (
            {"events": [EVENT | {"data": {"custom_attributes": {"a": "x" * 4097}}}]},
            "events[0].data.custom_attributes.a",
            ["4,097", "4,096"],
        ),
        (
            {"events": [EVENT | {"data": {"custom_attributes": {LONG: 1}}}]},
            f"the name '{'x' * 80}…' in events[0].data.custom_attributes",
            ["257"],
        ),
        (
            {"events": [EVENT | {"data": {"custom_attributes": {"a": [1] * 1001}}}]},
            "events[0].data.custom_attributes.a",
            ["1,001 entries"],
        ),
        ({"user_attributes": {"a": {"b": 1}}}, "user_attributes.a", ["an object", "a list of"]),
        ({"user_attributes": {"a": [{}]}}, "user_attributes.a[0]", ["'{}'"]),
        ({"user_attributes": {"a": "x" * 4097}}, "user_attributes.a", ["4,097 characters"]),
        ({"user_attributes": {"a": "\ud800"}}, "user_attributes.a", ["surrogate"]),
        ({"user_attributes": {"a": ["\ud800"]}}, "user_attributes.a[0]", ["surrogate"]),
        ({"user_attributes": {"a": ["x"] * 1001}}, "user_attributes.a", ["1,001 entries", "1,000"]),
        ({"user_attributes": {"a": [None, *["x"] * 1001]}}, "user_attributes.a", ["1,001 entries"]),
        ({"user_attributes": {"a": ["x" * 513]}}, "user_attributes.a[0]", ["513", "512"]),
        ({"user_attributes": {"a": 10**4096}}, "user_attributes.a", ["digits"]),
        ({"user_attributes": {"a": [-(10**4096)]}}, "user_attributes.a[0]", ["digits"]),
        (
            {"user_attributes": dict.fromkeys(map(str, range(101)))},
            "user_attributes",
            ["101", "100"],
        ),
        ({"user_attributes": {"\x1b[31m": {}}}, "user_attributes.\\x1b[31m", ["an object"]),
        ({"user_attributes": {LONG: 1}}, f"the name '{'x' * 80}…' in user_attributes", ["257"]),
        ({"deleted_user_attributes": ["a", 5]}, "deleted_user_attributes[1]", ["'5'", "text"]),
        ({"deleted_user_attributes": [LONG]}, "deleted_user_attributes[0]", ["257"]),
        ({"source_request_id": LONG}, "source_request_id", ["257 characters", "256"]),
    ],
)
def test_what_is_wrong_is_told_by_its_place(members: Json, place: str, words: list[str]) -> None:
    found = refusal(**members)
    assert found.code is ErrorCode.INVALID_BATCH
    assert found.message.startswith(f"{place} ")
    check_message(found.message, *words)


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"timestamp_unixtime_ms": NOW, "events": [EVENT, TIMED]}, "1234"),
        ({"events": [EVENT, {"data": {}}]}, '{"data": {}}'),
        ({"user_attributes": {"a": ["x", {}]}, "events": []}, "{}"),
        ({"events": [], "user_attributes": {LONG: 1}}, f'"{LONG}"'),
        ({"user_identities": {"email": "a"}, "mp_deviceid": 5, "device_info": {"das": "x"}}, "5"),
        ({"user_identities": {"email": "a", "other": []}}, "[]"),
        ({"user_identities": {}, "known_identities": {"email": "a"}}, '{"email": "a"}'),
    ],
)
def test_people_see_where_in_the_line_it_is(members: Json, word: str) -> None:
    """The caret stands under the value itself, not under another of its name."""
    line = json.dumps({"type": "batch", "scope": "s", "user_identities": {"email": "a"}} | members)
    read = wire.Reader(RULES).read(json.loads(line))
    fault = read.late_refusal or (read.batch.fault if read.batch else None)
    assert fault is not None
    shown = wire.excerpt_of(1, line.encode(), fault.word)
    assert shown.column is not None
    assert shown.text[shown.column - 1 :][: shown.length] == word


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (1_700_000_000, ["'1700000000'", "seconds", "1700000000000"]),
        (1_700_000_000_123_456, ["microseconds", "1700000000123"]),
        (1_700_000_000_123_456_789, ["nanoseconds", "1700000000123"]),
        ("1700000000000", ["'1700000000000'", "an integer"]),
        (1_700_000_000_000.0, ["an integer"]),
        (True, ["an integer"]),
        (0, ["2000", "2099"]),
        (-NOW, ["2000"]),
        (946_684_799_999, ["2000"]),
        (4_102_444_800_000, ["2099"]),
    ],
)
def test_a_time_is_in_milliseconds_from_2000_to_2099(time: object, words: list[str]) -> None:
    data = {"timestamp_unixtime_ms": time}
    of_an_event = refusal(events=[EVENT, EVENT | {"data": data}]).message
    assert of_an_event.startswith("events[1].data.timestamp_unixtime_ms is ")
    of_the_batch = refusal(timestamp_unixtime_ms=time).message
    assert of_the_batch.startswith("timestamp_unixtime_ms is ")
    check_message(of_an_event, *words)
    check_message(of_the_batch, *words)
    if isinstance(time, (int, float)) and not isinstance(time, bool):
        of_the_request = refusal(request_timestamp_ms=time).message
        assert of_the_request.startswith("request_timestamp_ms is ")


@pytest.mark.parametrize("time", [946_684_800_000, 4_102_444_799_999])
def test_the_first_and_the_last_time_are_times(time: int) -> None:
    assert batch(timestamp_unixtime_ms=time, events=[EVENT]).data.events[0].time_ms == time


def test_what_is_asked_is_a_batch_with_its_digest() -> None:
    labels: dict[str, int] = {"l": 7}
    read = reading(mpid="@l", source_request_id="1")
    asked = wire.request_of(read, labels)
    assert isinstance(asked, BatchRequest)
    assert (asked.mpid, asked.identity, asked.digest) == (7, None, read.digest)
    asked = wire.request_of(reading(user_identities={"email": "a", "other": 0}), labels)
    assert isinstance(asked, BatchRequest)
    assert asked.identity is not None
    assert [*asked.identity.identifiers] == [*identifiers(email="a")]
    assert (asked.passed_over, asked.digest) == ((IdentityType.OTHER,), None)
    with pytest.raises(Refusal) as raised:
        wire.request_of(reading(mpid="@m"), labels)
    assert raised.value.code is ErrorCode.UNKNOWN_LABEL
    with pytest.raises(Refusal) as raised:
        wire.request_of(reading(mpid="@m", events=[{}]), labels)
    assert raised.value.code is ErrorCode.UNKNOWN_LABEL
