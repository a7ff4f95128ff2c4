"""ISO 4217: which currencies there are, and how many decimal digits their minor units have.

The table is list one of ISO 4217 as SIX, its maintenance agency, publishes it (https://www.six-group.com), of
January 2026; without metals, test codes and other units without minor units, in which nothing is sold. CLDR, and so
Babel, has other numbers: of the digits that people write, such as none for Serbian dinars.
"""

from collections.abc import Mapping

_DIGITS: Mapping[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW"
        " CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF"
        " IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK"
        " MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP"
        " SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG"
        " YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

MINOR_UNITS: Mapping[str, int] = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}
"""Currency → the decimal digits of its minor unit: 1250 is 12.50 EUR, 1250 JPY, 1.250 KWD."""


def minor_unit_digits(currency: str) -> int:
    """The decimal digits of the minor unit; 2, which most have, of a currency that is not in use any more."""
    return MINOR_UNITS.get(currency, 2)
