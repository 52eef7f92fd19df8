"""Any text in LaTeX: as it is where every engine has it, and never a command."""

from __future__ import annotations

import re
import unicodedata

PREAMBLE = (
    "% Needs \\usepackage{booktabs}.",
    "% Signs that pdfLaTeX has no font for are shown by XeLaTeX and LuaLaTeX alone.",
    r"\providecommand{\othersign}[1]{\ifdefined\Umathchar#1\else?\fi}",
)
"""What stands at the beginning of a file with tables."""

_GREEK = (
    "αalpha βbeta γgamma δdelta εepsilon ζzeta ηeta θtheta ιiota κkappa λlambda μmu νnu ξxi πpi ρrho σsigma τtau υupsilon"
    " φphi χchi ψpsi ωomega ΓGamma ΔDelta ΘTheta ΛLambda ΞXi ΠPi ΣSigma ΥUpsilon ΦPhi ΨPsi ΩOmega"
)

_SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
    **{"`": r"\textasciigrave{}", "�": "?"},
    **{'"': "''", "“": "``", "”": "''", "‘": "`", "’": "'", "–": "--", "—": "---", "…": r"\ldots{}"},
    **{"−": "$-$", "±": r"$\pm$", "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\to$", "∞": r"$\infty$"},
    **{letter[0]: rf"$\{letter[1:]}$" for letter in _GREEK.split()},
    **{"†": r"$\dagger$", "·": r"$\cdot$", "°": r"$^\circ$", "²": "$^2$", "³": "$^3$", "µ": r"$\mu$"},
}

_ACCENTS = frozenset("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327")
_OTHER_LETTERS = frozenset("ßæøåÆØÅœŒłŁ£§¶©¿¡")
_LAST_LATIN = "\u017f"  # beyond it, LaTeX knows few letters


def escape(text: str) -> str:
    """The text in one line, each of its characters as what it is."""
    flat = comment(text)
    return "".join(
        "-{}" if character == following == "-" else _sign(character)  # two hyphens would become a dash
        for character, following in zip(flat, f"{flat[1:]} ", strict=False)
    )


def comment(text: str) -> str:
    """One line; characters that cannot be printed would end a comment, or stop LaTeX."""
    return "".join(character if character.isprintable() else "?" for character in re.sub(r"\s+", " ", text))


def _sign(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    return character if character.isascii() or _is_known(character) else rf"\othersign{{{character}}}"


def _is_known(character: str) -> bool:
    """Whether LaTeX has the letter with any encoding of fonts."""
    if character in _OTHER_LETTERS:
        return True
    base, *marks = unicodedata.normalize("NFD", character)
    return character <= _LAST_LATIN and base.isascii() and len(marks) == 1 and marks[0] in _ACCENTS
