"""What people call identifiers elsewhere, and which types they may mean: suggestions, no more.

A name that could be several things leads to all of them, and nothing is ever read by such a name.
"""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.identity import TYPES_BY_NAME, IdentityType
from idsync_cli.errors import did_you_mean
from idsync_cli.nearest import folded, nearest_words

_ADVERTISING: Final = (
    IdentityType.IOS_IDFA,
    IdentityType.ANDROID_AAID,
    IdentityType.FIRE_AID,
    IdentityType.ROKU_AID,
    IdentityType.MICROSOFT_AID,
)
_DEVICE: Final = (
    IdentityType.DEVICE_APPLICATION_STAMP,
    IdentityType.IOS_IDFV,
    IdentityType.ANDROID_UUID,
)
_STAMP: Final = (IdentityType.DEVICE_APPLICATION_STAMP,)

_NAMES: Final = (
    (
        (IdentityType.MOBILE_NUMBER,),
        """phone phone_number phone_no mobile mobile_no mobile_phone mobile_phone_number cell
        cell_phone cell_number cellular telephone telephone_number tel msisdn sms sms_number
        whatsapp e164 phone_e164""",
    ),
    ((IdentityType.PHONE_NUMBER_2,), "phone2 mobile2 mobile_number2 second_phone alternate_phone"),
    ((IdentityType.PHONE_NUMBER_3,), "phone3 mobile3 mobile_number3 third_phone"),
    (
        (IdentityType.PHONE_NUMBER_2, IdentityType.PHONE_NUMBER_3),
        "home_phone work_phone landline other_phone secondary_phone",
    ),
    (
        (IdentityType.CUSTOMER_ID,),
        """customer customer_no customer_number customer_key user user_id user_no user_number
        user_key user_name uid account account_id account_no account_number client client_no
        client_number member member_id member_no member_number subscriber subscriber_id contact
        contact_id person_id profile_id crm crm_id login login_id login_name external_id
        external_user_id loyalty_id loyalty_number shopper_id buyer_id""",
    ),
    (
        (IdentityType.CUSTOMER_ID, IdentityType.DEVICE_APPLICATION_STAMP),
        "id identity identifier client_id distinct_id amplitude_id mixpanel_distinct_id",
    ),
    (
        (IdentityType.EMAIL,),
        """mail email_address mail_address e_mail_address email_id user_email customer_email
        primary_email contact_email""",
    ),
    (
        (IdentityType.OTHER, IdentityType.EMAIL),
        "hashed_email email_hash email_sha256 email_md5 sha256_email md5_email hem",
    ),
    (
        (*_DEVICE, IdentityType.IOS_IDFA, IdentityType.ANDROID_AAID),
        "device device_id device_identifier hardware_id machine_id",
    ),
    (_ADVERTISING, "ad_id adid advertising_id advertiser_id advertising_identifier maid ifa aid"),
    (
        _STAMP,
        """cookie cookie_id anonymous anonymous_id anon_id anonymous_user_id visitor visitor_id
        visitor_cookie browser_id browser_cookie first_party_cookie mp_deviceid mp_device_id
        installation_id install_id instance_id app_instance_id device_stamp ga_client_id
        ga_cid ecid""",
    ),
    ((IdentityType.IOS_IDFV,), "vendor_id ios_vendor ios_device_id apple_vendor_id ifv"),
    ((IdentityType.IOS_IDFA,), "apple_idfa apple_advertising_id"),
    (
        (IdentityType.ANDROID_AAID,),
        "aaid android_ad_id android_advertising google_ad_id google_aid gps_adid play_ad_id",
    ),
    (
        (IdentityType.ANDROID_UUID,),
        "uuid android_device_id android_identifier ssaid",
    ),
    ((IdentityType.ANDROID_UUID, IdentityType.ANDROID_AAID), "android"),
    ((IdentityType.ROKU_AID, IdentityType.ROKU_PUBLISHER_ID), "roku"),
    ((IdentityType.FIRE_AID,), "amazon_advertising_id amazon_ad_id amazon_aid fire_id"),
    ((IdentityType.ROKU_AID,), "rida roku_ad_id roku_device_id"),
    (
        (IdentityType.PUSH_TOKEN,),
        """push token push_id device_token fcm fcm_token fcm_registration_token apns apns_token
        registration_id registration_token gcm_token notification_token push_notification_token""",
    ),
    ((IdentityType.FACEBOOK,), "fb fb_id facebook_id facebook_user_id fbid"),
    (
        (IdentityType.FACEBOOK_CUSTOM_AUDIENCE_ID,),
        "custom_audience_id facebook_custom facebook_audience_id",
    ),
    ((IdentityType.GOOGLE,), "google_id google_user_id google_account google_sub gaia_id"),
    ((IdentityType.TWITTER,), "twitter_id twitter_handle twitter_user_id"),
    ((IdentityType.MICROSOFT, IdentityType.MICROSOFT_AID), "microsoft_id ms_id windows_id"),
    ((IdentityType.YAHOO,), "yahoo_id"),
    ((IdentityType.OTHER,), "other1 other_1 other_id other_id_1 apple apple_id linkedin instagram"),
)

_MEANT: Final = {folded(name): types for types, names in _NAMES for name in names.split()}

_MPID: Final = "; an MPID is a profile's own number, not an identifier"


def meant_by(name: str) -> Sequence[str]:
    """The names of the types that may be meant: by what people call them, then the nearest.

    Of several names of one type the first in the order of section 2.
    """
    near = nearest_words(name, TYPES_BY_NAME)
    if near and folded(near[0]) == folded(name):  # it is the name, written in another way
        return near[:1]
    named = {kind: kind.value for kind in types_called(name)}
    for each in near:
        named.setdefault(TYPES_BY_NAME[each], each)
    return tuple(named.values())


def types_called(name: str) -> Sequence[IdentityType]:
    """The types that people call so, by whatever spelling; none where nobody does."""
    return _MEANT.get(folded(name), ())


def is_meant(name: str) -> bool:
    """Whether it is the name of a type, or what people call one."""
    return name in TYPES_BY_NAME or folded(name) in _MEANT


def type_hint(name: str) -> str:
    """A hint at the type that may be meant, ready to be put behind a message; or nothing."""
    if folded(name) == "mpid":
        return _MPID
    return did_you_mean(meant_by(name))
