"""What a draft amounts to: its field and place as understood or chosen, and what is still missing."""

from dataclasses import dataclass, replace

from handlers.conversation.world import CommuneView, Filing, World
from handlers.drafts import Draft
from nlp.results import (
    Area,
    FieldAction,
    Locality,
    PlaceAction,
    PlaceCandidate,
    Understanding,
    Unit,
)

UNCLEAR = "khac.khong_ro"
LIKELY = 0.05  # a subfield below this share is no idea at all
NO_MATTERS = frozenset({UNCLEAR, "khac.chuyen_phiem", "khac.ngoai_dia_ban"})  # of use to the machine only


@dataclass(frozen=True, slots=True)
class Assessment:
    """A draft read as a whole."""

    understanding: Understanding
    locality: Locality
    subfield: str
    commune: CommuneView | None
    place_words: str
    is_field_chosen: bool
    is_field_doubtful: bool  # ask
    is_field_open: bool  # intake decides
    outside: Area | None = None  # another province was named, and nothing nearer

    @property
    def is_outside(self) -> bool:
        """Whether this is beyond the area served."""
        return self.outside is not None if self.commune is None else not self.commune.in_area


def assess(draft: Draft, world: World) -> Assessment:
    """Read the whole draft; what the citizen chose stands above what the machine reads."""
    understanding = world.understand(draft.story)
    exif = next((photo.point for photo in draft.photos if photo.point), None)
    locality = _without(draft.denied, world.read_place(_told_place(draft, understanding, world), draft.point, exif))
    field = understanding.field
    chosen = draft.subfield
    subfield = _full_subfield(chosen, understanding) if chosen else field.subfield
    is_unclear = subfield in NO_MATTERS
    commune = _commune(draft, locality, world)
    read_words = locality.words.text or (draft.point.label if draft.point else "")
    return Assessment(
        understanding=understanding,
        locality=locality,
        subfield=UNCLEAR if is_unclear else subfield,
        commune=commune,
        place_words=read_words if draft.place_words is None else draft.place_words,
        is_field_chosen=chosen is not None,
        is_field_doubtful=chosen is None and not draft.is_field_open and field.action is FieldAction.ASK,
        is_field_open=is_unclear or (chosen is None and (draft.is_field_open or field.action is FieldAction.INTAKE)),
        outside=_outside(locality, world) if commune is None and not draft.is_place_unknown else None,
    )


def best_subfield(field: str, understanding: Understanding) -> str | None:
    """The machine's best subfield inside a field that the citizen chose; None where it has no idea."""
    likely = (code for code, share in understanding.field.subfields if share >= LIKELY and code not in NO_MATTERS)
    return next((code for code in likely if code.partition(".")[0] == field), None)


def sure_place(locality: Locality, world: World) -> PlaceCandidate | None:
    """The commune that is taken without asking: accepted, or the only one nearby that can be meant."""
    if locality.action is PlaceAction.ACCEPT:
        return locality.best
    if locality.action is not PlaceAction.ASK or len(locality.candidates) != 1:
        return None
    (only,) = locality.candidates
    return only if unit_view(only.current, "", world).in_area else None


def commune_view(candidate: PlaceCandidate, world: World) -> CommuneView:
    """A candidate as a report keeps it, with the old name where one was written."""
    named = candidate.named
    former = named.name if candidate.is_former_name and named is not None else ""
    return unit_view(candidate.current, former, world)


def unit_view(unit: Unit, former: str, world: World) -> CommuneView:
    """A unit as a report keeps it."""
    served = world.pack.served_communes
    in_area = unit.code in served if served else unit.province_code == world.pack.province_code
    return CommuneView(unit.code, unit.valid_from.isoformat(), unit.name, former, in_area)


def make_filing(draft: Draft, view: Assessment, *, is_urgent: bool) -> Filing:
    """The draft as it goes into the book."""
    ids = [part.message_id for part in draft.texts] + [photo.message_id for photo in draft.photos]
    exif = next((photo.point for photo in draft.photos if photo.point), None)
    return Filing(
        text=draft.text,
        message_ids=tuple(dict.fromkeys(item for item in ids if item)),
        photos=tuple(dict.fromkeys(photo.hash for photo in draft.photos)),
        point=draft.point or exif,
        subfield=view.subfield,
        is_field_by_citizen=view.is_field_chosen,
        is_field_open=view.is_field_open,
        commune=view.commune,
        is_place_by_citizen=draft.commune is not None,
        address_text=view.place_words,
        understanding=view.understanding,
        locality=view.locality,
        is_urgent=is_urgent,
        is_outside=view.is_outside,
    )


def _full_subfield(chosen: str, understanding: Understanding) -> str:
    if "." in chosen:
        return chosen
    return best_subfield(chosen, understanding) or chosen


def _told_place(draft: Draft, understanding: Understanding, world: World) -> Locality:
    """Where the story says it is; where it doesn't, what was said of the place alone."""
    told = understanding.locality
    is_silent = told.action is PlaceAction.NONE and told.area is None
    if not is_silent or not draft.places:
        return told
    place = world.understand(draft.places).locality
    return place if told.words.text == "" else replace(place, words=told.words)


def _outside(locality: Locality, world: World) -> Area | None:
    area = locality.area
    is_elsewhere = area is not None and area.province_code != world.pack.province_code
    return area if is_elsewhere and not locality.candidates else None


def _commune(draft: Draft, locality: Locality, world: World) -> CommuneView | None:
    if draft.is_place_unknown:
        return None
    if draft.commune is not None:
        unit = world.find_unit(draft.commune)
        return unit_view(unit, draft.former, world) if unit else None
    only = sure_place(locality, world)
    return commune_view(only, world) if only is not None else None


def _without(denied: frozenset[str], locality: Locality) -> Locality:
    """The reading without the communes that the citizen said are wrong."""
    if not any(candidate.current.code in denied for candidate in locality.candidates):
        return locality if not denied or locality.candidates else replace(locality, area=None)
    left = tuple(candidate for candidate in locality.candidates if candidate.current.code not in denied)
    action = PlaceAction.ASK if len(left) > 1 else PlaceAction.NONE
    best = left[0] if len(left) > 1 else None
    return replace(
        locality, action=action, best=best, candidates=left if best else (), area=None, second=None, conflict_km=None
    )
