"""Reports in English, French and German say the same, and come back through noise."""

import itertools

import pytest

from cinelex.metrics.facts.measures import read_measures
from cinelex.metrics.facts.parse import parse
from cinelex.metrics.facts.sentences import sentences_of

NUMBERS = {
    "ejection_fraction": (
        *("LVEF is {n}%.", "Ejection fraction of {n} percent.", "EF: {n} %.", "The EF was {n}%."),
        *("FEVG à {n} %.", "Fraction d'éjection estimée à {n} %.", "FEVG {n}%."),
        *("LV-EF {n} %.", "Ejektionsfraktion von {n} %.", "Die Ejektionsfraktion beträgt {n} %."),
    ),
    "aortic_mean_gradient": (
        *("Mean gradient {n} mmHg.", "Mean aortic gradient of {n} mmHg."),
        *("Gradient moyen {n} mmHg.", "Mittlerer Gradient {n} mmHg."),
    ),
}
GRADES = {
    "mitral_regurgitation": (
        *("{g} mitral regurgitation.", "Mitral regurgitation is {g}.", "There is {g} MR."),
        *(
            "Insuffisance mitrale {g}.",
            "{g} Mitralinsuffizienz.",
            "Mitralklappeninsuffizienz: {g}.",
        ),
    ),
    "aortic_stenosis": (
        *("{g} aortic stenosis.", "Aortic valve stenosis, {g}.", "Rétrécissement aortique {g}."),
        *("{g} Aortenklappenstenose.", "Aortenstenose {g}."),
    ),
}
WORDS = {"mild": 1, "moderate": 2, "severe": 3}
FRENCH = {"mild": "légère", "moderate": "modérée", "severe": "sévère"}
GERMAN = {"mild": "leichte", "moderate": "mittelgradige", "severe": "schwere"}
DENIED = (
    *("No pericardial effusion.", "Without pericardial effusion.", "Pericardial effusion: none."),
    *("Pas d'épanchement péricardique.", "Absence d'épanchement péricardique."),
    *("Kein Perikarderguss.", "Ohne Perikarderguss.", "Perikarderguss nicht nachweisbar."),
)
NOISE = ("{}", "  {} Sinus rhythm at 72.", "Technically limited. {}", "1. {}\nNo comparison.")


@pytest.mark.parametrize("noise", NOISE)
def test_numbers_come_back(noise: str) -> None:
    for name, templates in NUMBERS.items():
        for template, value in itertools.product(templates, (25, 48, 60)):
            report = noise.format(template.format(n=value))
            facts = {f.attribute: (f.low, f.high) for f in read_measures(report, "echo").facts}
            assert facts.get(name) == (value, value), report


@pytest.mark.parametrize("noise", NOISE)
def test_grades_come_back_in_the_words_of_their_language(noise: str) -> None:
    for name, templates in GRADES.items():
        for template, word in itertools.product(templates, WORDS):
            french = "Insuff" in template or "Rétr" in template
            german = "insuffizienz" in template or "stenose" in template
            said = FRENCH[word] if french else GERMAN[word] if german else word
            report = noise.format(template.format(g=said))
            facts = {f.attribute: (f.low, f.high) for f in read_measures(report, "echo").facts}
            assert facts.get(name) == (WORDS[word], WORDS[word]), report


@pytest.mark.parametrize("noise", NOISE)
def test_what_is_denied_comes_back_as_denied(noise: str) -> None:
    for sentence in DENIED:
        (fact,) = [
            f
            for f in read_measures(noise.format(sentence), "echo").facts
            if f.attribute == "pericardial_effusion"
        ]
        assert fact.negated, sentence


def test_decimal_commas_and_intervals_are_read_as_one_number() -> None:
    (velocity,) = read_measures("Vitesse maximale 4,2 m/s.", "echo").facts
    assert (velocity.low, velocity.high) == (4.2, 4.2)
    (fraction,) = read_measures("LVEF 50 bis 55 %.", "echo").facts
    assert (fraction.low, fraction.high) == (50, 55)


def test_doubt_is_kept() -> None:
    for report in ("Possible pericardial effusion.", "Verdacht auf Perikarderguss."):
        (fact,) = read_measures(report, "echo").facts
        assert fact.uncertain, report


CORONARY = (
    ("Sténose de 70 % de l'IVA moyenne.", "70% stenosis of the mid LAD."),
    ("Sténose à 90 % de la coronaire droite proximale", "90% stenosis of the proximal RCA."),
    ("Occlusion de la circonflexe distale.", "Occlusion of the distal LCX."),
    ("Pas de sténose du tronc commun.", "No stenosis of the left main."),
    ("Coronaires normales.", "Normal coronary arteries."),
    ("Dominance droite.", "Right dominance."),
    ("Sténose de 50 % de la première diagonale.", "50% stenosis of the first diagonal."),
    ("Flux TIMI 3.", "TIMI 3 flow."),
    ("Aucune sténose significative.", "No significant stenosis."),
    ("Calcifications de l'IVA.", "Calcification of the LAD."),
    ("Sténose serrée de l'IVA proximale", "Severe stenosis of the proximal LAD"),
    ("70%ige Stenose der mittleren LAD.", "70% stenosis of the mid LAD."),
    ("70 %ige Stenose des mittleren RIVA.", "70% stenosis of the mid LAD."),
    ("Verschluss der proximalen RCA.", "Occlusion of the proximal RCA."),
    ("Keine Stenose im Hauptstamm.", "No stenosis of the left main."),
    ("Unauffällige Koronararterien.", "Normal coronary arteries."),
    ("Rechtsversorgungstyp.", "Right dominance."),
    ("Stenose von 60 % des ersten Diagonalastes.", "60% stenosis of the first diagonal."),
    ("TIMI-3-Fluss.", "TIMI 3 flow."),
    ("Keine relevante Stenose.", "No significant stenosis."),
    ("Verkalkung des RCX.", "Calcification of the LCX."),
    ("Hochgradige Stenose der proximalen RCX.", "Severe stenosis of the proximal LCX."),
    ("Ejektionsfraktion 55 %.", "Ejection fraction 55 %."),
    ("Stenose 80 % distale RCA", "80 % stenosis of the distal RCA"),
    ("Fraction d'éjection de 60 %.", "Ejection fraction of 60 %."),
    ("Dominance gauche.", "Left dominance."),
    ("Linksversorgungstyp.", "Left dominance."),
)


@pytest.mark.parametrize(("foreign", "english"), CORONARY)
def test_coronary_terms_in_french_and_german_say_what_the_english_ones_do(
    foreign: str, english: str
) -> None:
    assert parse(foreign) == parse(english) != []


def test_a_report_in_english_is_read_as_before() -> None:
    report = "70% stenosis in the mid LAD and occlusion of the distal RCA"
    assert sentences_of(report) == [report.lower()]
