"""Kinds of trees: their names, whether leaves stay in winter, and how big they grow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solarkataster.canopy import DECIDUOUS, EVERGREEN

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "×": " "})


@dataclass(frozen=True)
class Species:
    """
    A genus, or species that differ from the rest of their genus.

    Parameters
    ----------
    botanical : str
        Beginning of the botanical name, lower case.
    german : tuple of str
        Endings of the German names, lower case, without umlauts: ``linde`` is Winterlinde too.
    kind : int
        `canopy.DECIDUOUS` or `canopy.EVERGREEN`.
    height_m, crown_diameter_m : float
        Of a grown tree in a town: middle of the ranges that lists for planting give. [m]
    """

    botanical: str
    german: tuple[str, ...]
    kind: int
    height_m: float
    crown_diameter_m: float


def _rows(kind: int, text: str) -> tuple[Species, ...]:
    rows = []
    for line in text.strip().splitlines():
        botanical, german, height_m, crown_m = (part.strip() for part in line.split("|"))
        rows.append(
            Species(botanical, tuple(german.split()), kind, float(height_m), float(crown_m))
        )
    return tuple(rows)


#: Heights and diameters are middles of the ranges in the street tree list of the German garden
#: authorities (GALK-Straßenbaumliste, arbeitskreis stadtbäume, as of 2016: Acer platanoides
#: 20–30 m high and 15–22 m wide, Acer campestre 10–15 and 10–15), of Dortmund's list for
#: replacement planting (Quercus robur 25–35 and 15–25, Acer pseudoplatanus 20–25 and 12–15) and,
#: for what neither has, of nurseries' catalogues; rounded to half metres and narrowed to what grows
#: in streets and gardens. They fill what a cadastre leaves out; they do not judge what it says.
SPECIES = _rows(
    DECIDUOUS,
    """
    tilia             | linde                                 | 22   | 13
    acer campestre    | feldahorn massholder                  | 12   | 9
    acer negundo      | eschenahorn                           | 14   | 11
    acer palmatum     | faecherahorn                          | 5    | 5
    acer              | ahorn                                 | 22   | 14
    platanus          | platane                               | 25   | 19
    quercus           | eiche                                 | 24   | 17
    aesculus          | rosskastanie kastanie                 | 20   | 15
    castanea          | edelkastanie esskastanie              | 22   | 17
    fraxinus ornus    | blumenesche mannaesche                | 10   | 6.5
    fraxinus          | esche                                 | 25   | 17
    fagus             | buche                                 | 27   | 20
    carpinus          | hainbuche weissbuche                  | 15   | 10
    ostrya            | hopfenbuche                           | 13   | 9
    betula            | birke                                 | 18   | 10
    robinia           | robinie scheinakazie akazie           | 20   | 14
    gleditsia         | gleditschie lederhuelsenbaum          | 17   | 11
    styphnolobium     | schnurbaum                            | 17   | 14
    sophora           | sophore                               | 17   | 14
    populus           | pappel espe aspe                      | 26   | 13
    salix             | weide                                 | 16   | 13
    alnus             | erle                                  | 16   | 8.5
    ulmus             | ulme ruester                          | 22   | 15
    zelkova           | zelkove                               | 20   | 15
    corylus           | baumhasel haselnuss hasel             | 16   | 9
    juglans           | walnuss nussbaum                      | 20   | 15
    pterocarya        | fluegelnuss                           | 20   | 17
    carya             | hickory                               | 22   | 13
    sorbus aria       | mehlbeere                             | 10   | 8
    sorbus            | eberesche vogelbeere elsbeere         | 11   | 6
    prunus avium      | vogelkirsche suesskirsche             | 16   | 10
    prunus padus      | traubenkirsche                        | 12   | 8
    prunus            | kirsche pflaume zwetschge mandel      | 8    | 6.5
    malus             | apfel apfelbaum                       | 7    | 6
    pyrus             | birne birnbaum                        | 12   | 7
    crataegus         | weissdorn rotdorn hahnendorn apfeldorn | 6.5 | 5.5
    amelanchier       | felsenbirne                           | 6.5  | 4.5
    mespilus          | mispel                                | 5    | 5
    cydonia           | quitte                                | 5    | 5
    cornus            | hartriegel kornelkirsche              | 6    | 5.5
    magnolia          | magnolie                              | 8    | 6
    liquidambar       | amberbaum                             | 18   | 9
    liriodendron      | tulpenbaum                            | 26   | 15
    ailanthus         | goetterbaum                           | 20   | 14
    catalpa           | trompetenbaum                         | 12   | 10
    paulownia         | blauglockenbaum                       | 13   | 11
    morus             | maulbeerbaum maulbeere                | 11   | 9
    celtis            | zuergelbaum                           | 16   | 11
    koelreuteria      | blasenesche                           | 8    | 6.5
    parrotia          | eisenholzbaum                         | 8    | 8
    nyssa             | tupelobaum                            | 15   | 8
    cercis            | judasbaum                             | 6    | 6
    cercidiphyllum    | kuchenbaum lebkuchenbaum              | 12   | 8
    tetradium         | bienenbaum stinkesche                 | 12   | 9
    laburnum          | goldregen                             | 6    | 4
    sambucus          | holunder                              | 5    | 4.5
    ginkgo            | ginkgo faecherblattbaum               | 22   | 11
    larix             | laerche                               | 27   | 10
    metasequoia       | urweltmammutbaum                      | 30   | 9
    taxodium          | sumpfzypresse                         | 27   | 9
    """,
) + _rows(
    EVERGREEN,
    """
    picea             | fichte rottanne blautanne             | 25   | 8
    abies             | tanne                                 | 27   | 8
    pseudotsuga       | douglasie                             | 32   | 10
    pinus             | kiefer foehre                         | 20   | 9
    cedrus            | zeder                                 | 20   | 13
    tsuga             | hemlocktanne                          | 18   | 8
    taxus             | eibe                                  | 11   | 8
    thuja             | lebensbaum thuje                      | 12   | 4
    chamaecyparis     | scheinzypresse                        | 13   | 5
    cupressus         | zypresse                              | 14   | 4
    juniperus         | wacholder                             | 6    | 3
    sequoiadendron    | mammutbaum riesenmammutbaum           | 32   | 10
    sequoia           | kuestenmammutbaum                     | 30   | 9
    cryptomeria       | sicheltanne                           | 18   | 7
    araucaria         | araukarie andentanne                  | 18   | 8
    ilex              | stechpalme huelse                     | 8    | 4.5
    buxus             | buchsbaum                             | 4    | 3
    quercus ilex      | steineiche                            | 13   | 10
    prunus laurocerasus | kirschlorbeer lorbeerkirsche        | 4    | 4
    """,
)  # fmt: skip

#: Words for nothing more than the kind of leaves.
_GENERAL = {
    DECIDUOUS: ("laubbaum", "laubgehoelz", "obstbaum", "deciduous", "broadleaf", "broadleaved"),
    EVERGREEN: ("nadelbaum", "nadelgehoelz", "konifere", "conifer", "coniferous", "evergreen"),
}

#: Medians of the table, for trees of which only the kind is known, or not even that.
_TYPICAL = {
    kind: (
        float(np.median([one.height_m for one in SPECIES if one.kind == kind])),
        float(np.median([one.crown_diameter_m for one in SPECIES if one.kind == kind])),
    )
    for kind in (DECIDUOUS, EVERGREEN)
}


@dataclass(frozen=True, eq=False)
class SpeciesSizes:
    """
    What a name tells of each tree.

    Parameters
    ----------
    kind : ndarray, shape (n_tree,), uint8
        `canopy.DECIDUOUS` where the name is unknown.
    is_known : ndarray of bool, shape (n_tree,)
        Whether the name tells the kind of leaves.
    has_size : ndarray of bool, shape (n_tree,)
        Whether it tells the species or genus, and so a size.
    height_m, crown_diameter_m : ndarray, shape (n_tree,)
        Of a grown tree; medians of the table where the species is unknown. [m]
    """

    kind: np.ndarray
    is_known: np.ndarray
    has_size: np.ndarray
    height_m: np.ndarray
    crown_diameter_m: np.ndarray


def species_sizes(names: Sequence[str | None]) -> SpeciesSizes:
    """
    Kind of leaves and grown size by the names of species.

    Parameters
    ----------
    names : sequence of str or None, length n_tree
        Botanical or German, also both: "Tilia cordata, Winter-Linde".

    Returns
    -------
    SpeciesSizes
    """
    n = len(names)
    kind = np.full(n, DECIDUOUS, dtype=np.uint8)
    is_known, has_size = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    sizes_m = np.tile(_TYPICAL[DECIDUOUS], (n, 1))
    found: dict[str | None, Species | int | None] = {}
    for i, name in enumerate(names):
        if name not in found:
            found[name] = _species_of(name)
        one = found[name]
        if one is None:
            continue
        is_known[i] = True
        if isinstance(one, Species):
            kind[i], has_size[i] = one.kind, True
            sizes_m[i] = one.height_m, one.crown_diameter_m
        else:
            kind[i], sizes_m[i] = one, _TYPICAL[one]
    return SpeciesSizes(kind, is_known, has_size, sizes_m[:, 0], sizes_m[:, 1])


def _species_of(name: str | None) -> Species | int | None:
    """The species of a name, else its kind of leaves, else None."""
    if not name:
        return None
    text = name.lower().translate(_LETTERS)
    words = re.findall(r"[a-z]+", text)
    # Botanical names first: they are the same everywhere, and "Acer" is in no German name.
    phrase = " " + " ".join(word for word in words if word != "x") + " "
    named = [one for one in SPECIES if f" {one.botanical} " in phrase]
    if named:
        return max(named, key=lambda one: len(one.botanical))
    # "Winter-Linde" and "Linde, Winter-" as well as "Winterlinde".
    joined = re.findall(r"[a-z]+", text.replace("-", "").replace(" ", "-")) + words
    endings = [
        (len(ending), one)
        for one in SPECIES
        for ending in one.german
        if any(word.endswith(ending) or word.endswith(f"{ending}n") for word in joined)
    ]
    if endings:
        return max(endings, key=lambda found: found[0])[1]
    for kind, general in _GENERAL.items():
        if any(word in general for word in words):
            return kind
    return None
