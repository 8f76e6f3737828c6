import unicodedata

import pytest

from MotionQALib.image_names import ImageNames

FILES = ["P001-1-ED.nii.gz", "sub/P002-1-ED.nii.gz", "Jürgen.nii.gz", "a/sa.nii.gz", "b/sa.nii.gz"]


def names_of(*files, root="/data/study"):
    names = ImageNames(root)
    for file in files:
        names.add(file, f"{root}/{file}")
    return names


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("P001-1-ED", 0),
        ("P001-1-ED.nii.gz", 0),
        ("P001-1-ED.nii", 0),  # compressed since
        ("./P001-1-ED.nii.gz", 0),
        ("../study/P001-1-ED", 0),
        ("study/P001-1-ED", 0),
        ("/data/study/P001-1-ED.nii.gz", 0),
        (r"D:\cmr\study\P001-1-ED.nii.gz", 0),
        (r"\\server\share\P001-1-ED.nii.gz", 0),
        ("/mnt/share/cmr/P001-1-ED.nii.gz", 0),
        ("p001-1-ed", 0),
        ("P002-1-ED", 1),
        ("sub\\P002-1-ED", 1),
        ("E:/x/sub/P002-1-ED.nii.gz", 1),
        (unicodedata.normalize("NFD", "Jürgen"), 2),
        ("a/sa", 3),
        ("/mnt/b/sa.nii.gz", 4),
    ],
)
def test_one_image_is_meant(name, file):
    matches = names_of(*FILES).match([name])
    assert matches.found == {name: FILES[file]}
    assert matches.elsewhere == ([name] if name.startswith(("/mnt", "D:", "E:", "\\\\")) else [])


def test_decomposed_file_names_of_a_mac_match_typed_ones():
    file = unicodedata.normalize("NFD", "Jürgen.nii.gz")
    assert names_of(file).match(["Jürgen"]).found == {"Jürgen": file}


@pytest.mark.parametrize(
    "name",
    [
        "P003-1-ED",
        "other/P001-1-ED",  # in no folder of that name
        "/mnt/other/P002-1-ED.nii.gz",  # the path below the root says sub/
        "c/sa",
        "",
        "..",
        "/",
    ],
)
def test_no_image_is_meant(name):
    matches = names_of(*FILES).match([name])
    assert matches.missing == [name]
    assert matches.found == {}


def test_a_name_of_two_images_is_said():
    assert names_of(*FILES).match(["sa"]).several == {"sa": ["a/sa.nii.gz", "b/sa.nii.gz"]}
    assert names_of("x.nii", "x.nrrd").match(["x"]).several == {"x": ["x.nii", "x.nrrd"]}
    assert names_of("x.nii", "x.nrrd").match(["x.nrrd"]).found == {"x.nrrd": "x.nrrd"}


def test_letter_case_decides_between_files_that_differ_in_it():
    matches = names_of("P001.nii", "p001.nii").match(["P001", "p001"])
    assert matches.found == {"P001": "P001.nii", "p001": "p001.nii"}


def test_two_names_of_one_image_are_said():
    assert names_of(*FILES).match(["P002-1-ED", "sub/P002-1-ED"]).same == [
        ("P002-1-ED", "sub/P002-1-ED")
    ]


def test_another_patients_image_of_the_same_name_is_not_taken():
    """UK Biobank's way: a folder a patient, the same names in all; only one folder is here."""
    listed = [f"/mnt/ukb/{patient}/sa.nii.gz" for patient in (1000001, 1000002, 1000003)]
    here = names_of("sa.nii.gz", root="/data/1000002").match(listed)
    assert here.found == {listed[1]: "sa.nii.gz"}
    nobody = names_of("sa.nii.gz", root="/data/renamed").match(listed)
    assert nobody.found == {}
    assert nobody.missing == listed


def test_further_names_and_an_exports_apostrophe():
    names = ImageNames()
    names.add("key", "/data/-1.nii", "case 7")
    assert names.match(["'-1", "case 7"]).found == {"'-1": "key"}
    assert names.match(["'-1", "case 7"]).same == [("'-1", "case 7")]
