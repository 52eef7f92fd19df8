"""A way through Montezuma's Revenge, as hexadecimal digits, each the action of a step."""

from __future__ import annotations

# Without sticky actions, from the first room: down to the key, up again, and through the left door.
TO_THE_SECOND_ROOM = (
    "b222555555552222bb33330002222222255555555555500445555555555555555ccc000000c33ccccc311244444000cccccccccc"
    "22220022222ccc555555222222222234c33333333555355555555005555533550bbbbbbbbbbbbbbbbb4122222bb3333333330004"
    "3222222222b3322333444444c1555555c222455552222222c32222222222441104cbbbbbcccccc3ccc5555555555ccccb44444444"
)
