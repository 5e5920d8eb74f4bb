"""Which way a head is turned, from the corners of the eyes and the base of the nose. Pure arithmetic.

The head is two outer corners of the eyes, a distance 1 apart, and a nose base that lies DOWN below and FORWARD of the
middle between them; the camera is far away. A turn moves the nose base sideways, a nod up or down. DOWN is what upright
portraits show (0.54 to 0.56); FORWARD is assumed: 30 mm on a head whose outer corners are 90 mm apart. No photo with a
known angle was there to compare with: it says which way, and roughly how far, no more.
"""

import math

from fv.analysis.images import Numbers

DOWN = 0.545
FORWARD = 0.34


def yaw_and_pitch(landmarks: Numbers) -> tuple[float, float]:
    """Degrees; the tilt of the head is taken out first.

    `landmarks` (5, 2): outer and inner corner of the person's left eye (at the right of the picture), of the right
    eye, and the base of the nose. Positive yaw: towards the person's left; positive pitch: up.
    """
    left, right, nose = landmarks[0], landmarks[2], landmarks[4]
    (along_x, along_y), (to_x, to_y) = left - right, nose - (left + right) / 2
    squared = float(along_x**2 + along_y**2)
    if squared == 0:
        return 0.0, 0.0
    aside = float(to_x * along_x + to_y * along_y) / squared  # in widths of the eyes, as the photo shows them
    below = float(to_y * along_x - to_x * along_y) / squared
    yaw = math.atan(aside / FORWARD)
    # below · cos(yaw) = DOWN · cos(pitch) - FORWARD · cos(yaw) · sin(pitch): the width shrinks with the yaw
    forward = FORWARD * math.cos(yaw)
    reach, lift = math.hypot(DOWN, forward), math.atan2(forward, DOWN)
    pitch = math.acos(max(-1.0, min(1.0, below * math.cos(yaw) / reach))) - lift
    return math.degrees(yaw), math.degrees(pitch)
