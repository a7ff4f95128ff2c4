"""Corruptions of the data, one of each kind, made behind the services' backs.

Each corrupts data of its own, and returns the subject that the audit must report for it.
"""

from collections.abc import Awaitable, Callable

from tests.ops import event_corruptions, mail_corruptions, stock_corruptions
from tests.ops.world import World

Corruption = Callable[[World], Awaitable[str]]

CORRUPTIONS: list[tuple[str, Corruption]] = [
    ("oversold", stock_corruptions.more_reserved_than_on_hand),
    ("stock_mismatch", stock_corruptions.stock_without_a_movement),
    ("stock_mismatch", stock_corruptions.stock_reserved_without_a_reservation),
    ("availability_mismatch", stock_corruptions.offer_of_what_is_sold_out),
    ("availability_mismatch", stock_corruptions.stock_without_an_offer),
    ("order_stuck", event_corruptions.ignored_reply),
    ("reservation_mismatch", stock_corruptions.confirmed_order_without_its_stock),
    ("reservation_mismatch", stock_corruptions.cancelled_order_that_still_holds_stock),
    ("reservation_mismatch", stock_corruptions.cancelled_remainder_that_is_still_held),
    ("reservation_mismatch", stock_corruptions.more_held_than_ordered),
    ("reservation_mismatch", stock_corruptions.loss_that_the_order_does_not_know),
    ("reservation_mismatch", stock_corruptions.reservation_without_an_order),
    ("reservation_mismatch", stock_corruptions.reservation_of_another_revision),
    ("parcel_mismatch", stock_corruptions.shipment_without_a_movement),
    ("parcel_mismatch", stock_corruptions.return_booked_for_another_order),
    ("parcel_mismatch", stock_corruptions.scrapped_piece_that_is_on_hand_again),
    ("parcel_open", stock_corruptions.delivered_order_with_a_parcel_in_transit),
    ("erased_kept", event_corruptions.erased_customer_with_an_address),
    ("erased_kept", event_corruptions.erased_customer_with_an_account),
    ("mail_missing", mail_corruptions.shipment_without_a_mail),
    ("shipped_too_much", stock_corruptions.more_returned_than_shipped),
    ("reply_doubled", event_corruptions.reply_without_a_request),
    ("event_lost", event_corruptions.lost_event),
    ("event_unknown", event_corruptions.event_of_an_unknown_aggregate),
    ("version_gap", event_corruptions.events_in_the_wrong_order),
    ("doubled_effect", event_corruptions.duplicate_effect),
    ("not_handled", event_corruptions.skipped_event),
    ("phantom_inbox", event_corruptions.handled_event_that_is_on_no_topic),
    ("mail_missing", mail_corruptions.order_without_a_mail),
    ("mail_missing", mail_corruptions.mail_that_is_never_sent),
    ("mail_failed", mail_corruptions.refused_mail),
    ("mail_doubled", mail_corruptions.duplicate_mail),
    ("mail_missing", mail_corruptions.password_change_without_a_mail),
    ("mail_missing", mail_corruptions.low_stock_without_a_mail),
    ("mail_unfounded", mail_corruptions.shipment_mail_without_a_shipment),
    ("mail_unfounded", mail_corruptions.mail_without_a_cause),
    ("mail_unfounded", mail_corruptions.duplicate_welcome),
    ("dead_letter", event_corruptions.dead_letter_and_parked_event),
]
"""The check that must find each corruption."""
