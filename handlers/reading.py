"""The language part with this province's context: what the conversation asks of it, remembered for a while."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import date
from threading import Lock

from handlers.messages import Point
from handlers.province import ProvincePack
from nlp.borders import Borders
from nlp.fusion import fuse
from nlp.gazetteer import Gazetteer
from nlp.pins import locate_point
from nlp.pipeline import Language
from nlp.results import Context, Locality, PinResult, PlaceAction, Understanding, Unit

REMEMBERED = 4096  # texts; a draft is read again with every bubble and every button


class Reader:
    """Reads texts and points. Safe for several threads."""

    def __init__(
        self, language: Language, gazetteer: Gazetteer, pack: ProvincePack, *, borders: Borders | None = None
    ) -> None:
        self._language, self._gazetteer, self._borders = language, gazetteer, borders
        self._context = Context(province_code=pack.province_code, pilot_codes=frozenset(pack.served_communes))
        self._remembered: OrderedDict[tuple[str, str], Understanding] = OrderedDict()
        self._lock = Lock()

    def understand(self, text: str, last_commune: str = "") -> Understanding:
        """What the text says, for a sender whose last report came from ``last_commune``."""
        key = (text, last_commune)
        with self._lock:
            found = self._remembered.get(key)
            if found is not None:
                self._remembered.move_to_end(key)
                return found
        context = Context(self._context.province_code, self._context.pilot_codes, last_commune)
        result = self._language.understand(text, context=context)
        with self._lock:
            self._remembered[key] = result
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return result

    def understand_all(self, texts: Iterable[tuple[str, str]]) -> None:
        """Read these now, so that asking for them later is quick."""
        for text, last_commune in texts:
            self.understand(text, last_commune)

    def read_place(self, text: Locality | None, point: Point | None, photo_point: Point | None) -> Locality:
        """Text, pin and photo put together."""
        return fuse(
            text or Locality(PlaceAction.NONE),
            pin=self._locate(point),
            exif=self._locate(photo_point),
            point=(point.lat, point.lon) if point is not None else None,
        )

    def find_unit(self, code: str, as_of: date | None = None) -> Unit | None:
        """The commune that carries this code today."""
        units = self._gazetteer.current_units(code, as_of)
        return next((unit for unit in units if unit.code == code), units[0] if units else None)

    def _locate(self, point: Point | None) -> PinResult | None:
        if point is None:
            return None
        return locate_point(self._gazetteer, point.lat, point.lon, borders=self._borders)
