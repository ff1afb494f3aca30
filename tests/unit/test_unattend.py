"""Product keys in answer files: what is put there, what is left alone, and what is wrong with them."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ElementTree

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma import keys
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.answer_file import (
    CarriedKey,
    InvalidAnswerFileError,
    Place,
    read_image_names,
    read_keys,
    set_key,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import Edition
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.unattend import (
    assess,
    choose_image_key,
    choose_key,
    image_system,
    show,
)
from hypothesis import given
from hypothesis import strategies as st

KEY = "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"
KMS_KEY = "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"
STANDARD_KEY = "YDFWN-MJ9JR-3DYRK-FXXRW-78VHK"
PRIVATE_KEY = "F2K7M-QXW9C-VB4TN-HJ8RD-6YPG3"
NAMESPACES = {"u": "urn:schemas-microsoft-com:unattend"}
IMAGE = image_system("2022", Edition.DATACENTER)

#: What a user may well have: two architectures, comments, white space of their own, other components, a key of another kind.
TYPICAL = """<?xml version="1.0" encoding="{encoding}"?>
<!-- Grüße aus dem Rechenzentrum -->
<unattend xmlns="urn:schemas-microsoft-com:unattend" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">
  <settings pass="windowsPE">
    <component name="Microsoft-Windows-Setup" processorArchitecture="amd64" publicKeyToken="31bf3856ad364e35"
               language="neutral"   versionScope="nonSxS">
      <UserData>
        <AcceptEula>true</AcceptEula>
      </UserData>
    </component>
  </settings>
  <settings   pass='specialize' >
    <component name="Microsoft-Windows-Deployment" processorArchitecture="amd64">
      <RunSynchronous><RunSynchronousCommand wcm:action="add"><Path>cmd /c echo "a &gt; b"</Path></RunSynchronousCommand></RunSynchronous>
    </component>
    <component name="Microsoft-Windows-Shell-Setup" processorArchitecture="x86">
      <ProductKey>F2K7M-QXW9C-VB4TN-HJ8RD-6YPG3</ProductKey>
    </component>
    <component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64">
      <ComputerName>*</ComputerName>
      <ProductKey><!-- of the image -->WX4NM-KYWYW-QJJR4-XV3QB-6VM33 </ProductKey>

      <TimeZone>W. Europe Standard Time</TimeZone>
    </component>
  </settings>
  <cpi:offlineImage cpi:source="wim:d:/install.wim#A" xmlns:cpi="urn:schemas-microsoft-com:cpi" />
</unattend>
"""


def answer_file(content: str = "", attributes: str = "") -> bytes:
    """A file with this below its root."""
    return f'<unattend xmlns="urn:schemas-microsoft-com:unattend"{attributes}>{content}</unattend>'.encode()


def shell_setup(product_key: str, architecture: str = "amd64") -> str:
    component = f'<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="{architecture}">'
    return f'<settings pass="specialize">{component}<ProductKey>{product_key}</ProductKey></component></settings>'


def image_setup(product_key: str) -> str:
    component = '<component name="Microsoft-Windows-Setup" processorArchitecture="amd64">'
    user_data = f"<UserData><ProductKey><Key>{product_key}</Key></ProductKey></UserData>"
    return f'<settings pass="windowsPE">{component}{user_data}</component></settings>'


def keys_by_element_tree(document: bytes, place: Place, architecture: str = "amd64") -> list[str | None]:
    """The keys as another parser sees them."""
    path = f"u:settings[@pass='{place.pass_name}']/u:component[@name='{place.component}']"
    path += f"[@processorArchitecture='{architecture}']/" + "/".join(f"u:{name}" for name in place.setting.split("/"))
    return ["".join(key.itertext()) for key in ElementTree.fromstring(document).findall(path, NAMESPACES)]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-be", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("cp1252", "windows-1252"),
    ],
)
def test_only_the_key_is_exchanged(encoding: str, declared: str, newline: str) -> None:
    before = TYPICAL.format(encoding=declared).replace("\n", newline)
    after = before.replace(f"{KMS_KEY} ", KEY)
    result = set_key(before.encode(encoding), Place.ACTIVATION, "amd64", KEY)
    assert result == after.encode(encoding)
    assert set_key(result, Place.ACTIVATION, "amd64", KEY) == result


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_missing_setting_is_added_in_the_style_of_the_file(encoding: str, newline: str) -> None:
    declared = "utf-16" if encoding == "utf-16" else "utf-8"
    before = TYPICAL.format(encoding=declared).replace("\n", newline)
    accepted = "        <AcceptEula>true</AcceptEula>" + newline
    added = newline.join(
        ["        <ProductKey>", "          <Key>W3GNR-8DDXR-2TFRP-H8P33-DV9BG</Key>", "        </ProductKey>", ""]
    )
    result = set_key(before.encode(encoding), Place.IMAGE, "amd64", KEY)
    assert result == before.replace(accepted, accepted + added).encode(encoding)
    assert set_key(result, Place.IMAGE, "amd64", KEY) == result


def test_a_new_file_holds_the_keys_and_nothing_else() -> None:
    document = set_key(set_key(None, Place.IMAGE, "amd64", KEY), Place.ACTIVATION, "amd64", KEY)
    component = (
        'processorArchitecture="amd64" publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS"'
    )
    assert (
        document.decode()
        == f"""<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
    <settings pass="windowsPE">
        <component name="Microsoft-Windows-Setup" {component}>
            <UserData>
                <ProductKey>
                    <Key>{KEY}</Key>
                </ProductKey>
            </UserData>
        </component>
    </settings>
    <settings pass="specialize">
        <component name="Microsoft-Windows-Shell-Setup" {component}>
            <ProductKey>{KEY}</ProductKey>
        </component>
    </settings>
</unattend>
"""
    )


@pytest.mark.parametrize(
    "empty",
    [
        b'<unattend xmlns="urn:schemas-microsoft-com:unattend"/>',
        b'<unattend xmlns="urn:schemas-microsoft-com:unattend"></unattend>',
        b'<?xml version="1.0"?><unattend xmlns="urn:schemas-microsoft-com:unattend"> </unattend>',
        b'<u:unattend xmlns:u="urn:schemas-microsoft-com:unattend" />',
        answer_file('\n\t<settings pass="specialize"/>\n'),
        answer_file("\n<settings pass='specialize'>\n  <!-- nothing > yet -->\n</settings>\n"),
        answer_file('<settings pass="oobeSystem"/><settings pass="SPECIALIZE"></settings>'),
        answer_file(shell_setup("")),
        answer_file(shell_setup("<!-- later -->")),
        answer_file(shell_setup("").replace("<ProductKey></ProductKey>", '<ProductKey a="/>" />')),
        answer_file(shell_setup("<![CDATA[WX4NM]]>-&#75;")),
        answer_file(shell_setup("").replace("ProductKey", "other:ProductKey"), ' xmlns:other="urn:other"'),
    ],
)
def test_wherever_the_key_is_missing_it_is_added(empty: bytes) -> None:
    result = set_key(empty, Place.ACTIVATION, "amd64", KEY)
    assert [key.product_key for key in read_keys(result)] == [KEY]
    assert b"SPECIALIZE" in empty or keys_by_element_tree(result, Place.ACTIVATION) == [KEY]
    assert set_key(result, Place.ACTIVATION, "amd64", KEY) == result
    comments = [part for part in (b"<!-- nothing > yet -->", b"<!-- later -->", b"urn:other") if part in empty]
    assert all(part in result for part in comments)


def test_every_setting_of_the_architecture_gets_the_key() -> None:
    document = answer_file(
        shell_setup(KMS_KEY) + shell_setup(KEY) + shell_setup(KMS_KEY, "AMD64") + shell_setup(KMS_KEY, "x86")
    )
    result = set_key(document, Place.ACTIVATION, "amd64", KEY)
    assert [(key.architecture, key.product_key) for key in read_keys(result)] == [
        ("amd64", KEY),
        ("amd64", KEY),
        ("AMD64", KEY),
        ("x86", KMS_KEY),
    ]


BLANKS = st.sampled_from(
    ["", " ", "\n", "\n\t\t", "\r\n    ", "\n<!-- ProductKey -->\n", "<?pi > ?>", "<Other>/></Other>"]
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="<&>"), max_size=20)


@given(
    blanks=st.lists(BLANKS, min_size=6, max_size=6),
    text=TEXTS,
    carried=st.sampled_from([None, "", KEY, KMS_KEY]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
    place=st.sampled_from(Place),
)
def test_whatever_the_file_looks_like(
    blanks: list[str], text: str, carried: str | None, encoding: str, place: Place
) -> None:
    a, b, c, d, e, f = blanks
    key = f"<ProductKey>{carried}</ProductKey>" if carried is not None else ""
    component = f'<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64">{c}{key}{d}</component>'
    root = '<unattend xmlns="urn:schemas-microsoft-com:unattend">'
    before = (
        f'{root}{a}<settings pass="specialize">{b}{component}{e}</settings>{f}<!--{text.replace("-", "")}--></unattend>'
    )
    result = set_key(before.encode(encoding), place, "amd64", KEY)
    assert KEY in keys_by_element_tree(result, place)
    assert set_key(result, place, "amd64", KEY) == result
    # Without the key, what is left begins and ends as it did.
    if carried and place is Place.ACTIVATION:
        assert result == before.replace(f"<ProductKey>{carried}<", f"<ProductKey>{KEY}<").encode(encoding)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "not well-formed"),
        (b"\xff\xfe<", "not well-formed"),
        (b"<unattend", "not well-formed"),
        (b'<?xml version="1.0" encoding="nonsense"?><unattend/>', "not well-formed"),
        (b'<?xml version="1.0" encoding="utf-16"?><unattend/>', "not well-formed"),
        (b"<unattend/>", "root"),
        (b'<other xmlns="urn:schemas-microsoft-com:unattend"/>', "root"),
        (b'<!DOCTYPE unattend SYSTEM "file:///etc/passwd"><unattend/>', "document type"),
        (b'<!DOCTYPE u [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><u>&b;</u>', "document type"),
    ],
)
def test_what_is_not_an_answer_file_is_refused(document: bytes, reason: str) -> None:
    with pytest.raises(InvalidAnswerFileError, match=reason):
        set_key(document, Place.ACTIVATION, "amd64", KEY)
    with pytest.raises(InvalidAnswerFileError, match=reason):
        read_keys(document)


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        ("", ["answer_file_without_key"]),
        (shell_setup(KEY), []),
        (shell_setup(KEY) + image_setup(KEY), ["image_key_is_avma"]),
        (shell_setup(KEY) + image_setup(KMS_KEY), []),
        (shell_setup(KEY) + image_setup(PRIVATE_KEY), []),
        (shell_setup(KEY) + image_setup(STANDARD_KEY), ["image_key_mismatch"]),
        (shell_setup(KEY) + image_setup("VDYBN-27WPP-V4HQT-9VMD4-VMK7H"), ["image_key_mismatch"]),
        (shell_setup(KEY) + image_setup(""), []),
        (shell_setup(KEY) + image_setup("\n  "), []),
        (shell_setup(KEY) + image_setup("W3GNR-8DDXR-2TFRP-H8P33"), ["image_key_not_a_key"]),
        (shell_setup(KEY) + image_setup("${product_key}"), ["image_key_not_a_key"]),
        (shell_setup(KEY) + image_setup("XXXXX-XXXXX-XXXXX-XXXXX-XXXXX"), ["image_key_not_a_key"]),
        (shell_setup(KEY) + image_setup("").replace("<Key></Key>", KMS_KEY), ["answer_file_misplaced_key"]),
        (shell_setup("<Key>" + KEY + "</Key>"), ["answer_file_misplaced_key"]),
        (image_setup(KEY), ["answer_file_without_key", "image_key_is_avma"]),
        (shell_setup(""), ["answer_file_without_key"]),
        (shell_setup(KMS_KEY), ["kms_client_key"]),
        (shell_setup(STANDARD_KEY), ["key_release_mismatch"]),
        (shell_setup(PRIVATE_KEY), ["answer_file_other_key"]),
        (shell_setup("no key at all"), ["answer_file_not_a_key"]),
        (shell_setup("W3GNR-8DDXR-2TFRP-H8P33-DV9B"), ["answer_file_not_a_key"]),
        (shell_setup("{{ product_key }}"), ["answer_file_not_a_key"]),
        (shell_setup("*****-*****-*****-*****-DV9BG"), ["answer_file_not_a_key"]),
    ],
)
def test_the_keys_of_an_answer_file_are_judged(content: str, codes: list[str]) -> None:
    problems = assess(read_keys(answer_file(content)), IMAGE, {})
    assert [problem.code for problem in problems] == codes
    assert PRIVATE_KEY not in repr(problems)
    # What is to be done about it is to be done to the file.
    assert all("unattend_key" in problem.remedy or "by hand" in problem.remedy for problem in problems)


#: What stands there → what it is, and how a message calls it.
CONTENTS = {
    KEY: ("key", None),
    PRIVATE_KEY.lower(): ("key", None),
    "": ("empty", None),
    "W3GNR-8DDXR-2TFRP-H8P33": ("truncated", "a truncated product key"),
    "W3GNR-8DDXR-2TFRP-H8P33-": ("truncated", "a truncated product key"),
    "W3GNR-8DDXR-2TFRP-H8P33-DV9": ("truncated", "a truncated product key"),
    "W3GNR": ("truncated", "a truncated product key"),
    "XXXXX-XXXXX-XXXXX-XXXXX-XXXXX": ("masked", "a masked product key"),
    "xxxxx-xxxxx-xxxxx-xxxxx-dv9bg": ("masked", "a masked product key"),
    "*****-*****-*****-*****-*****": ("masked", "a masked product key"),
    "*****-DV9BG": ("masked", "a masked product key"),
    "W3GNR-*****-*****-*****-DV9BG": ("masked", "a masked product key"),
    "#####-#####-#####-#####-#####": ("masked", "a masked product key"),
    "${product_key}": ("placeholder", "a placeholder, ${product_key},"),
    "{{ product_key }}": ("placeholder", "a placeholder, {{ product_key }},"),
    "%PRODUCTKEY%": ("placeholder", "a placeholder, %PRODUCTKEY%,"),
    "@@KEY@@": ("placeholder", "a placeholder, @@KEY@@,"),
    "[Product Key]": ("placeholder", "a placeholder, [Product Key],"),
    "__KEY__": ("placeholder", "a placeholder, __KEY__,"),
    "$key": ("placeholder", "a placeholder, $key,"),
    "YOUR PRODUCT KEY": ("other", "text that is no product key"),
    "12345-12345-12345-12345-12345": ("other", "text that is no product key"),
    "W3GNR-8DDXR-2TFRP-H8P33-DV9BO": ("other", "text that is no product key"),
    f"{KEY}-{KEY}": ("other", "text that is no product key"),
    "W3GNR8DDXR2TFRPH8P33DV9BG": ("other", "text that is no product key"),
    "*" * 20000 + "a": ("other", "text that is no product key"),
}


@pytest.mark.parametrize("text", CONTENTS, ids=lambda text: text[:40])
@pytest.mark.parametrize("place", Place)
def test_what_stands_there_is_named_for_what_it_is(text: str, place: Place) -> None:
    content, words = CONTENTS[text]
    carried = CarriedKey(place, "amd64", text)
    shown = show(carried)
    assert shown["content"] == content
    assert shown["partial_product_key"] == (text[-5:] if content == "key" else None)
    problems = assess([carried, CarriedKey(Place.ACTIVATION, "amd64", KEY)], IMAGE, {})
    if words:
        [problem] = problems
        assert f"has {words} at " in problem.message
        assert "DV9BG" not in problem.message


def image_install(*metadata: tuple[str, str], architecture: str = "amd64") -> str:
    items = "".join(f"<MetaData><Key>{key}</Key><Value>{value}</Value></MetaData>" for key, value in metadata)
    return (
        f'<settings pass="windowsPE"><component name="Microsoft-Windows-Setup" processorArchitecture="{architecture}"><ImageInstall>'
        f"<OSImage><InstallFrom>{items}</InstallFrom></OSImage></ImageInstall></component></settings>"
    )


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Windows Server 2022 SERVERDATACENTER", None),
        ("Windows Server 2022 SERVERDATACENTERCORE", None),
        ("Windows Server 2022 Datacenter (Desktop Experience)", None),
        ("windows server 2022", None),
        ("SERVERDATACENTER", None),
        ("My golden image", None),
        ("Windows Server 2022 Datacenter - patched", None),
        ("${image_name}", None),
        ("Windows Server 2019 SERVERSTANDARD", "Windows Server 2019 Standard"),
        ("Windows Server 2019 SERVERDATACENTER", "Windows Server 2019 Datacenter"),
        ("Windows Server 2022 SERVERSTANDARDCORE", "Windows Server 2022 Standard"),
        ("Windows Server 2022 SERVERTURBINE", "Windows Server 2022 Azure Edition"),
        ("SERVERSTANDARD", "Standard"),
        ("Windows Server 2022 Datacenter Evaluation", "Windows Server 2022 Datacenter Evaluation"),
    ],
)
def test_an_image_that_is_plainly_another_is_told(name: str, other: str | None) -> None:
    document = answer_file(image_install(("/IMAGE/INDEX", "2"), ("/image/name", f" {name} ")) + shell_setup(KEY))
    names = read_image_names(document, "amd64")
    assert names == [name]
    problems = assess(read_keys(document, "amd64"), IMAGE, {}, names)
    assert [problem.code for problem in problems] == (["image_name_mismatch"] if other else [])
    if other:
        assert (
            f"installs the image '{name}', which is {other}, and not Windows Server 2022 Datacenter"
            in problems[0].message
        )


def test_an_image_by_index_says_nothing() -> None:
    assert read_image_names(answer_file(image_install(("/IMAGE/INDEX", "2"))), "amd64") == []
    assert read_image_names(answer_file(), "amd64") == []
    assert read_image_names(answer_file(image_install(("/IMAGE/NAME", "x"), architecture="x86")), "amd64") == []


@pytest.mark.parametrize("template", ["%arch%", "${architecture}", "{{ arch }}", "@ARCH@", "ARCH"])
@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_an_architecture_to_be_filled_in_counts_as_the_one_that_is_meant(template: str, architecture: str) -> None:
    document = answer_file(shell_setup(KMS_KEY, template) + shell_setup(PRIVATE_KEY, "x86"))
    result = set_key(document, Place.ACTIVATION, architecture, KEY)
    assert result == document.replace(KMS_KEY.encode(), KEY.encode())
    assert set_key(result, Place.ACTIVATION, architecture, KEY) == result
    assert [key.product_key for key in read_keys(result, architecture)] == [KEY]
    assert assess(read_keys(result, architecture), IMAGE, {}) == []


def test_a_component_of_the_very_architecture_goes_before_one_to_be_filled_in() -> None:
    document = answer_file(shell_setup(KMS_KEY, "%arch%") + shell_setup(STANDARD_KEY))
    result = set_key(document, Place.ACTIVATION, "amd64", KEY)
    assert result == document.replace(STANDARD_KEY.encode(), KEY.encode())
    assert [key.product_key for key in read_keys(result, "amd64")] == [KEY]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (image_setup("").replace("<Key></Key>", KMS_KEY), Place.IMAGE),
        (image_setup("").replace("<ProductKey><Key></Key></ProductKey>", "Somebody"), Place.IMAGE),
        (image_setup(f"<Value>{KMS_KEY}</Value>"), Place.IMAGE),
        (shell_setup(f"<Key>{KMS_KEY}</Key>"), Place.ACTIVATION),
        (shell_setup("<other:Key/>").replace("<settings", '<settings xmlns:other="urn:other"'), Place.ACTIVATION),
        ('<settings pass="specialize">stray</settings>', Place.ACTIVATION),
    ],
)
def test_a_key_is_never_put_beside_what_does_not_belong_there(content: str, place: Place) -> None:
    with pytest.raises(InvalidAnswerFileError, match=r"holds (text|elements) where only"):
        set_key(answer_file(content), place, "amd64", KEY)
    read_keys(answer_file(content))


@pytest.mark.parametrize(
    ("release", "edition"),
    [
        *((str(release), str(edition)) for release, edition in keys.AVMA_KEYS),
        *itertools.product(["1709", "1803", "1809", "1909"], ["Datacenter", "Standard"]),
    ],
)
def test_what_is_put_into_a_file_is_right_in_it(release: str, edition: str) -> None:
    system = image_system(release, edition)
    decision = choose_key(system, None, {})
    document = None
    for place, product_key in ((Place.IMAGE, choose_image_key(system)), (Place.ACTIVATION, decision.product_key or "")):
        document = set_key(document, place, "amd64", product_key)
    assert assess(read_keys(document or b"", "amd64"), system, {}) == []


def test_an_image_without_an_avma_key_is_said_to_be_one() -> None:
    problems = assess([], image_system("23H2", Edition.DATACENTER), {})
    assert [problem.code for problem in problems] == ["no_avma_key_for_release"]


def test_an_addition_to_the_table_is_the_right_key() -> None:
    system = image_system("29500", Edition.DATACENTER)
    overrides = keys.read_overrides({"29500": {"Datacenter": PRIVATE_KEY}})
    assert assess(read_keys(answer_file(shell_setup(PRIVATE_KEY))), system, overrides) == []
    [problem] = assess(read_keys(answer_file(shell_setup(KEY))), system, overrides)
    assert problem.code == "answer_file_other_key"
