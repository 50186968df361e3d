"""Joins what the text says about the place with a pin, the GPS of a photo and the sender's last commune."""

from dataclasses import replace

from nlp.gazetteer import Gazetteer
from nlp.pins import distance_m
from nlp.results import Locality, PinResult, PlaceAction, PlaceCandidate, PlaceWords, Unit
from nlp.streets import Streets

CONFLICT_KM = 2.0  # people often report after leaving, or from home
NEAR_BORDER_M = 50.0  # 3–7 % of pins lie this near to a border; GPS in a street is no better
PIN_SCORE, EXIF_SCORE, AGREE_SCORE = 3.0, 2.0, 1.5
MOST_CANDIDATES = 5


def fuse(
    text: Locality,
    *,
    pin: PinResult | None = None,
    exif: PinResult | None = None,
    point: tuple[float, float] | None = None,
    is_pin_confirmed: bool = False,
    last_commune: Unit | None = None,
) -> Locality:
    """One conclusion of all sources; the words and the second place of the text always stay.

    A pin beats the text, unless they lie more than 2 km apart: then ``conflict_km`` is set and the sender is asked,
    except after he has confirmed the pin. ``point`` is (latitude, longitude) of the pin, for the distance;
    ``exif`` counts only where there is no pin. ``last_commune`` is offered where nothing else is known.
    """
    located, score, source = (pin, PIN_SCORE, "pin") if pin is not None and pin.best else (exif, EXIF_SCORE, "exif")
    if located is None or located.best is None:
        return _from_history(text, last_commune)
    if text.best is None:
        return _from_point(text, located, score, source)
    among = _candidate_in(text, located)
    if among is not None:
        return _agree(text, among, source)
    apart_km = _apart_km(text.best.current, located, point)
    if is_pin_confirmed and source == "pin":
        return replace(_from_point(text, located, score, source), conflict_km=_stated(apart_km))
    if apart_km > CONFLICT_KM or source == "exif":
        return _ask_which(text, located, score, source, apart_km)
    return _from_point(text, located, score, source)


def use_streets(text: Locality, streets: Streets, gazetteer: Gazetteer) -> Locality:
    """Let the operator's street list decide between the candidates of an ambiguous text, or offer its communes."""
    if text.action is PlaceAction.ACCEPT or not text.words.street:
        return text
    codes = streets.communes(text.words.street)
    fitting = tuple(found for found in text.candidates if found.current.code in codes)
    if len(fitting) == 1:
        best = replace(fitting[0], evidence=(*fitting[0].evidence, f"street={text.words.street}"))
        others = tuple(found for found in text.candidates if found.current.code != best.current.code)
        return replace(text, action=PlaceAction.ACCEPT, best=best, candidates=(best, *others))
    if text.candidates or not 0 < len(codes) <= MOST_CANDIDATES:
        return text
    units = [unit for code in codes for unit in gazetteer.current_units(code)]
    offered = tuple(_candidate(unit, 1.0, f"street={text.words.street}") for unit in units)
    return replace(text, action=PlaceAction.ASK, best=offered[0], candidates=offered)


def has_point_words(words: PlaceWords) -> bool:
    """Commune plus one of these is a place that a crew can find."""
    return bool(words.street or words.hamlet or words.landmark or words.kilometre or words.lane)


def _from_history(text: Locality, last_commune: Unit | None) -> Locality:
    if text.action is not PlaceAction.NONE or text.area is not None or last_commune is None:
        return text
    offered = _candidate(last_commune, 0.5, "history")
    return replace(text, action=PlaceAction.ASK, best=offered, candidates=(offered,))


def _from_point(text: Locality, located: PinResult, score: float, source: str) -> Locality:
    """The pin decides; near a border, or where the runner-up is as near, its first candidates are asked about."""
    found = tuple(_candidate(unit, score - index, source) for index, (unit, _m) in enumerate(located.candidates))
    is_sure = located.by_border and (located.border_m or 0.0) > NEAR_BORDER_M
    is_sure = is_sure or (not located.by_border and _is_clear(located))
    action = PlaceAction.ACCEPT if is_sure and source == "pin" else PlaceAction.ASK
    return replace(text, action=action, best=found[0], candidates=found[:MOST_CANDIDATES], area=None)


def _is_clear(located: PinResult) -> bool:
    """Without borders: the nearest point is less than half as far as the next commune's."""
    if len(located.candidates) < 2:
        return True
    (_unit, nearest_m), (_other, next_m) = located.candidates[:2]
    return nearest_m * 2 < next_m


def _candidate_in(text: Locality, located: PinResult) -> PlaceCandidate | None:
    """A reading of the text that the pin allows: its own commune, or a neighbour that is as good as tied with it."""
    inside = located.by_border and (located.border_m or 0.0) > NEAR_BORDER_M
    allowed = located.candidates[: 1 if inside else 3]
    codes = [unit.code for unit, _metres in allowed]
    fitting = [found for found in text.candidates if found.current.code in codes]
    return max(fitting, key=lambda found: found.score - codes.index(found.current.code), default=None)


def _agree(text: Locality, among: PlaceCandidate, source: str) -> Locality:
    best = replace(among, score=round(among.score + AGREE_SCORE, 2), evidence=(*among.evidence, source))
    others = tuple(found for found in text.candidates if found.current.code != best.current.code)
    return replace(text, action=PlaceAction.ACCEPT, best=best, candidates=(best, *others), area=None)


def _ask_which(text: Locality, located: PinResult, score: float, source: str, apart_km: float) -> Locality:
    pinned = tuple(_candidate(unit, score, source) for unit, _metres in located.candidates[:2])
    candidates = (*pinned[:1], *text.candidates[:2], *pinned[1:])
    return replace(
        text,
        action=PlaceAction.ASK,
        best=candidates[0],
        candidates=candidates[:MOST_CANDIDATES],
        conflict_km=_stated(apart_km),
    )


def _apart_km(unit: Unit, located: PinResult, point: tuple[float, float] | None) -> float:
    """From the pin to the commune of the text, less that commune's own extent; 0 where its point is not known."""
    if unit.lat is None or unit.lon is None:
        return 0.0
    pinned = located.best
    if point is None and (pinned is None or pinned.lat is None or pinned.lon is None):
        return 0.0
    lat, lon = point or (pinned.lat, pinned.lon)  # type: ignore[union-attr]  # checked in the line above
    return distance_m(lat or 0.0, lon or 0.0, unit.lat, unit.lon) / 1000


def _stated(apart_km: float) -> float | None:
    return round(apart_km, 1) if apart_km > CONFLICT_KM else None


def _candidate(unit: Unit, score: float, source: str) -> PlaceCandidate:
    return PlaceCandidate(unit, None, "", -1, -1, score, (source,))
