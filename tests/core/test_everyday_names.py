"""What people call identifiers elsewhere, and which types they are led to."""

import pytest

from idsync_cli.core.everyday_names import is_meant, meant_by, type_hint, types_called
from idsync_cli.core.identity import TYPES_BY_NAME


@pytest.mark.parametrize(
    ("names", "first"),
    [
        ("phone phone_number Phone-Number mobile MobileNumber telephone msisdn", "mobile_number"),
        ("user_id userId USER_ID customerId CustomerID account_id accountId", "customer_id"),
        ("device_id deviceId cookie anonymous_id anonymousId", "device_application_stamp"),
        ("maid advertising_id", "ios_idfa"),
        ("IDFA", "idfa"),
        ("GAID", "gaid"),
        ("aaid", "android_aaid"),
        ("Email e-mail mail email_address", "email"),
        ("fcm_token deviceToken", "push_token"),
    ],
)
def test_words_that_people_use_lead_to_a_type(names: str, first: str) -> None:
    for name in names.split(" "):
        assert name not in TYPES_BY_NAME, "it is a suggestion, and never read as the type"
        assert meant_by(name)[0] == first, name


def test_what_could_be_several_things_leads_to_all_of_them() -> None:
    assert set(meant_by("device_id")) >= {"device_application_stamp", "ios_idfv", "android_uuid"}
    assert meant_by("phone_number") == ("mobile_number", "phone_number_2", "phone_number_3")
    assert type_hint("idf") == "; did you mean 'idfa' or 'idfv'?"
    assert type_hint("phone_number").endswith(
        "mean 'mobile_number', 'phone_number_2' or 'phone_number_3'?"
    )


def test_no_type_is_called_as_a_type_is() -> None:
    assert not any(types_called(name) for name in TYPES_BY_NAME)


def test_an_mpid_is_no_identifier() -> None:
    assert type_hint("MPID") == "; an MPID is a profile's own number, not an identifier"


def test_what_nobody_calls_a_type_leads_to_none() -> None:
    assert type_hint("first_name") == ""
    assert not is_meant("first_name")
    assert is_meant("idfv")
    assert is_meant("Phone-Number")


def test_a_word_that_several_types_begin_with_leads_to_all_that_it_may_be() -> None:
    assert set(meant_by("android")) == {"android_uuid", "android_aaid"}
    assert set(meant_by("Roku")) == {"roku_aid", "roku_publisher_id"}
    assert meant_by("facebook_custom")[0] == "facebook_custom_audience_id"
    assert list(meant_by("Facebook")) == ["facebook"]
