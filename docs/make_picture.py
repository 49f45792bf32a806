"""Draw docs/explained.svg, the explained answer that README.md shows, from requests that are run.

python docs/make_picture.py            draw it
python docs/make_picture.py --check    say whether it is as it would be drawn now
"""

from story import keep, told

PICTURE = "explained.svg"

STORY = (
    "init --seed 42",
    "login --customer-id ABC123 --email a@example.com --idfv 9876",
    "identify --idfv 9876",
    "login --customer-id XYZ789 --email a@example.com --idfv 9876 --explain --svg explained.svg",
)
"""Somebody signs in; somebody else takes the device, and signs up with the email of the first."""

if __name__ == "__main__":
    raise SystemExit(keep(PICTURE, lambda: told(STORY, "explained.svg")))
