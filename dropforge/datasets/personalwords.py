"""What columns of personal data are called, in a dozen languages, and the words that make such a name another thing's.

A name is looked at in lower case, without accents, with `_` between its words: `Home Phone` and `homePhone` are
`home_phone`. A kind's pattern must match whole words of it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.contract.personal import PersonalKind

CALLED: tuple[tuple[PersonalKind, str], ...] = (
    ("email", r"e_?mails?(_?addr(ess)?)?|courriel|correo(_electronico)?|mail|mel|e_?posta|adres_e_?mail|邮箱|メール"),
    ("ip", r"ip|ip_?(v4|v6)?_?addr(ess)?|ipv[46]|remote_addr|client_addr"),
    ("phone", r"(tele)?phones?|telefon\w*|tele?|telephone|tlf|mobile?|mobiel|movil|celular|cell(ulare)?|cell_?phone"
              r"|handy(nummer)?|puhelin\w*|fax|whatsapp|msisdn|contact_?(no|num|number)|portable|mobiltelefon|telefoon\w*"
              r"|телефон|手机\w*|电话\w*|電話\w*|携帯\w*|연락처|전화\w*|휴대\w*"),
    ("national_id", r"ssn|social_?security|sin|(national|identity|citizen)_?(id|no|num|number)|nin|ni_?(no|num|number)"
                    r"|nino|cpf|rg|nif|nie|dni|curp|rfc|rut|run|cedula|pesel|personnummer|fodselsnummer|fnr|cpr|hetu"
                    r"|henkilotunnus|bsn|codice_?fiscale|cnp|oib|egn|amka|isikukood|tc_?kimlik(_no)?|tckn|ahv|avs"
                    r"|num_?secu|numero_?secu|nir|insee|steuer_?id|aadhaar|nhs_?(no|number)|snils|rodne_?cislo|tax_?id"
                    r"|\w*身份证\w*|身分証|マイナンバー|주민\w*|снилс|инн"),
    ("passport", r"passports?|passeport|pasaporte|passaporto|passaporte|reisepass|paspoort|паспорт|护照\w*"),
    ("bank", r"iban|bban|bic|swift|(bank_?)?account_?(no|num|number)|bank_?account|acct_?(no|num)?|kontonummer|konto"
             r"|conto|cuenta|compte|rekening(nummer)?|routing_?(no|number)|sort_?code"),
    ("card", r"(credit_?|debit_?|payment_?)?card_?(no|num|number)|credit_?card|cc_?(no|num|number)|pan|kreditkarte\w*"
             r"|carte|tarjeta|carta_credito"),
    ("device", r"imei|imsi|mac|mac_?addr(ess)?|device_?id|idfa|gaid|udid|advertising_?id|android_?id|serial_?imei"),
    ("plate", r"(licen[sc]e|number|reg(istration)?)_?plate|plate(_?(no|num|number))?|reg_?no|kennzeichen"
              r"|immatriculation|matricula|targa|kenteken|placa|tablica|rejestracja|registreringsnummer|车牌\w*"),
    ("login", r"user_?names?|logins?|user_?login|benutzername|nom_utilisateur|usuario|screen_?name|nick(_?name)?|handle"
              r"|twitter|instagram|facebook|skype"),
    ("birth", r"birth_?(date|day)|date_?(of_?)?(birth|naissance)|d_?o_?b|b_?day|born(_on)?|geburts(datum|tag)"
              r"|geb_?datum|naissance|fecha_?(de_?)?nac(imiento)?|nacimiento|data_?(di_?)?nascita|nascita"
              r"|(data_?(de_?)?)?nascimento|geboortedatum|data_?urodzenia|fodelsedatum|fodselsdato|syntymaaika|дата_?рождения|生年月日"
              r"|出生\w*|생년월일"),
    ("address", r"(street|home|postal|mailing|billing|shipping|residential|delivery)_?addr(ess)?|addr(ess)?(_?line)?"
                r"|street|adresse|anschrift|strasse|str|direccion|domicilio|indirizzo|via|endereco|morada|adres|ulica"
                r"|gatuadress|gata|gade|osoite|utca|cim|adresa|straat|адрес|улица|地址|住所|주소"),
    ("name", r"(first|last|middle|family|given|full|sur|maiden|nick|christian|father|mother|spouse)_?names?|surname"
             r"|[fl]_?name|forename|vor_?name|nach_?name|familien_?name|prenom|nom_(de_)?famille|apellidos?(_\d)?"
             r"|primer_nombre|nombre_completo|cognome|sobrenome|achternaam|voornaam|nazwisko|imie(_i_nazwisko)?|efternamn"
             r"|fornamn|etunimi|sukunimi|fornavn|etternavn|efternavn|soyad\w*|ad_soyad|jmeno|prijmeni|имя|фамилия|фио"
             r"|отчество|氏名|名前|姓名|姓|이름|성명"),
)  # fmt: skip

PERSONS = (
    r"name|names|nom|nombre|nome|naam|namn|navn|nimi|given|surnames?|customer|client|cliente|kunde|klant|patient|paciente"
    r"|passenger|employee|empleado|mitarbeiter|person|contact|contact_?person|holder|owner|author|player|student|teacher"
    r"|doctor|physician|driver|judge|director|actor|actress|manager|agent|applicant|borrower|buyer|seller|sender"
    r"|recipient|member|guest|user|voter|candidate|winner|intestatario|titular|inhaber|ansprechpartner|proprietaire"
)
"""Names of columns that may hold names of people: their values must say so as well."""

OTHER_THINGS = re.compile(
    r"(^|_)(types?|model|brand|service|plan|count|len(gth)?|opened|clicked|changes?|verified|valid|flag|has|is|sent|traffic"
    r"|os|status|provider|category|kind|class|score|rate|domain|version|cost|price|usage|minutes|weight|thickness"
    r"|country|city|state|town|county|region|product|item|company|firm|employer|brand|file|host|station|stop|road|team"
    r"|school|course|species|genus|gene|column|table|store|shop|place|title|film|movie|book|song|album|storm|ship|vessel"
    r"|boat|car|vehicle|color|colour|month|day|hour|department|district|industry|sector|carrier|airline|airport|language"
    r"|currency|gb|mb|ratio|pct|percent|avg|mean|per|model|make|manufacturer|publisher|pub|constituency|municipa\w*"
    r"|neighbou?rhood|animal|breed|project|event|process|app|browser|package|library|function|variable|index)(_|$)"
)
"""Words of a column that is about something else: `phone_service`, `product_name`."""

THINGS_WITH_AGES = re.compile(r"(^|_)(house|home|building|property|account|policy|machine|equipment|tree|roof)(_|$)")
"""What else than a person may have an age, or a code."""

QUASI: tuple[tuple[PersonalKind, str, str], ...] = (
    ("postcode", r"zip(_?codes?)?|post_?(al_?)?codes?|plz|postleitzahl|code_?postal|cp|cap|codigo_?postal|cep"
                 r"|postnummer|kod_pocztowy|индекс|邮编|郵便番号|우편번호",
     r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9 -]{2,9}(\.0)?"),
    ("birth_year", r"birth_?year|year_?(of_?)?birth|yob|geburtsjahr|annee_naissance|ano_nacimiento",
     r"(18|19|20)\d\d(\.0)?"),
    ("age", r"ages?|age_?(years|yrs|group|band)|alter|edad|eta|idade|leeftijd|wiek|alder|возраст|年龄|年齢|나이",
     r"\d{1,3}(\.\d+)?|\d{1,3} ?[-–] ?\d{1,3}|\d{1,3}\+|[<>]=? ?\d{1,3}"),
    ("sex", r"sex|gender|geschlecht|sexe|genre|sexo|genero|sesso|genere|geslacht|kon|plec|пол|性别|性別|성별",
     r"[^\d]{1,20}|[0-3](\.0)?"),
)  # fmt: skip
"""Kind, what its columns are called, and how their values are written."""


def plain_name(name: str) -> str:
    """A column's name in lower case, without accents and digits at its end, with `_` between its words."""
    text = unicodedata.normalize("NFKD", name).translate({ord("ß"): "ss", ord("ł"): "l", ord("ø"): "o", ord("Ø"): "O"})
    text = unicodedata.normalize("NFC", "".join(sign for sign in text if not "\u0300" <= sign <= "\u036f"))
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", "_", text).strip("_").lower()
    return re.sub(r"_?\d+$", "", text) or text


def is_called(plain: str, pattern: str) -> bool:
    """Whether whole words of a plain name match."""
    return re.search(rf"(^|_)({pattern})(_|$)", plain) is not None
