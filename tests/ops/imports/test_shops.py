"""Exports of other shop programs become products; the samples are made up after public descriptions."""

from pathlib import Path
from typing import Any

import pytest

from ops.errors import CannotDo
from ops.imports.products import as_text, attribute_name
from ops.imports.shops import SHOPS
from tests.ops.imports.files import shop_products, write

SHOPIFY = """\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,\
Option2 Value,Variant SKU,Variant Price,Variant Barcode,Image Src,Image Position,Variant Image,Status
tea-mug,Tea mug,"<p>Holds a <b>third</b> of a litre.</p>
<ul><li>blue &amp; red</li></ul>",Potters,Home > Mugs,Mug,"kitchen, gift",true,Colour,Blue,Frame size,S,MUG-B,12.50,\
'4006381333931,https://img.example/1.jpg,1,https://img.example/blue.jpg,active
tea-mug,,,,,,,,,Red,,L,MUG-R,13.00,,https://img.example/2.jpg,2,,
tea-mug,,,,,,,,,,,,,,,https://img.example/3.jpg,3,,
poster,Poster,,,,,,false,Title,Default Title,,,POSTER,7,,,,,archived
voucher,Voucher,,,,,,true,Title,Default Title,,,,25,,,,,active
"""
WOOCOMMERCE = """\
ID,Type,SKU,Name,Published,Short description,Description,Regular price,Categories,Tags,Images,Parent,\
Attribute 1 name,Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s)
10,variable,SHIRT,Shirt,1,Short,"<p>Soft.</p>\\n<p>Warm.</p>",,"Clothing > Shirts, Sale",cotton,\
"https://img.example/a.jpg, https://img.example/b.jpg",,Size,"S, M",,
11,simple,CAP,Cap,-1,Only short,,9.90,,,,,Material,Wool,,
12,variation,SHIRT-S,Shirt - S,1,,,19.00,,,https://img.example/s.jpg,SHIRT,Size,S,,
13,"variation, virtual",SHIRT-M,Shirt - M,0,,,21.00,,,,id:10,Size,M,,
14,variation,LOST,Lost,1,,,1.00,,,,NOWHERE,,,,
15,grouped,SET,Set,1,,,,,,,,,,,
16,"simple, virtual",,No SKU,1,,,5.00,,,,,,,,
"""
MAGENTO = """\
sku,store_view_code,product_type,categories,name,description,short_description,price,product_online,base_image,\
additional_images,additional_attributes,configurable_variations
SHIRT-S,,simple,,Shirt S,,,19.00,1,,,size=S,
SHIRT-M,,simple,,Shirt M,,,21.00,2,,,size=M,
SHIRT,,configurable,"Default/Shirts,Default/Sale",Shirt,<p>Soft.</p>,,,1,/s/h/shirt.jpg,https://img.example/b.jpg,\
"material=Cotton, wool,care=cold","sku=SHIRT-S,size=S|sku=SHIRT-M,size=M|sku=SHIRT-X,size=X"
SHIRT,de,configurable,,Hemd,,,,,,,,
CAP,,simple,,Cap,,Warm,9.90,2,,,,
SET,,bundle,,Set,,,,1,,,,
"""


def variant(sku: str, amount: int, **fields: Any) -> dict[str, Any]:
    return {"sku": sku, "price": {"amount": amount, "currency": "EUR"}, **fields}


def test_shopify_rows_with_one_handle_are_a_product(tmp_path: Path) -> None:
    products, faults = shop_products(write(tmp_path, SHOPIFY), "shopify")
    images = [f"https://img.example/{n}.jpg" for n in (1, 2, 3)]
    blue = {"colour": "Blue", "frame_size": "S", "barcode": "4006381333931"}
    assert products == [
        {
            "name": "Tea mug",
            "description": "Holds a third of a litre.\n\nblue & red",
            "status": "active",
            "images": images,
            "attributes": {
                **{"vendor": "Potters", "type": "Mug", "category": "Home > Mugs", "tags": ["kitchen", "gift"]},
            },
            "variants": [
                variant("MUG-B", 1250, attributes=blue, images=["https://img.example/blue.jpg"]),
                variant("MUG-R", 1300, attributes={"colour": "Red", "frame_size": "L"}),
            ],
        },
        {"name": "Poster", "status": "discontinued", "variants": [variant("POSTER", 700)]},
    ]
    assert [(one.line, one.field) for one in faults] == [(7, "SKU")]


def test_woocommerce_variations_join_their_parent_wherever_they_are(tmp_path: Path) -> None:
    products, faults = shop_products(write(tmp_path, WOOCOMMERCE), "woocommerce")
    assert products == [
        {
            "name": "Shirt",
            "description": "Soft.\n\nWarm.",
            "status": "active",
            "images": ["https://img.example/a.jpg", "https://img.example/b.jpg"],
            "attributes": {"categories": ["Clothing > Shirts", "Sale"], "tags": ["cotton"]},
            "variants": [
                variant(
                    *("SHIRT-S", 1900),
                    attributes={"size": "S"},
                    images=["https://img.example/s.jpg"],
                    status="active",
                ),
                variant("SHIRT-M", 2100, attributes={"size": "M"}, status="discontinued"),
            ],
        },
        {
            **{"name": "Cap", "description": "Only short", "status": "draft"},
            **{"attributes": {"material": "Wool"}, "variants": [variant("CAP", 990)]},
        },
    ]
    assert [(one.line, one.field) for one in faults] == [(7, "Type"), (8, "SKU"), (6, "Parent")]


def test_magento_configurable_products_name_their_variants(tmp_path: Path) -> None:
    products, faults = shop_products(write(tmp_path, MAGENTO), "magento")
    assert products == [
        {
            "name": "Shirt",
            "description": "Soft.",
            "status": "active",
            "images": ["https://img.example/b.jpg"],
            "attributes": {
                "categories": ["Default/Shirts", "Default/Sale"],
                **{"material": "Cotton, wool", "care": "cold"},
            },
            "variants": [
                variant("SHIRT-S", 1900, attributes={"size": "S"}, status="active"),
                variant("SHIRT-M", 2100, attributes={"size": "M"}, status="discontinued"),
            ],
        },
        {"name": "Cap", "description": "Warm", "status": "draft", "variants": [variant("CAP", 990)]},
    ]
    assert [(one.line, one.field) for one in faults] == [(4, "configurable_variations"), (7, "product_type")]


def test_prices_may_have_a_decimal_comma_and_cells_another_delimiter(tmp_path: Path) -> None:
    content = "Handle;Title;Variant SKU;Variant Price\nmug;Mug;A;12,50\n"
    products, _ = shop_products(write(tmp_path, content), "shopify", delimiter=";", decimal_comma=True)
    assert products == [{"name": "Mug", "status": "active", "variants": [variant("A", 1250)]}]


def test_a_row_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    content = 'Handle,Title,Variant SKU,Variant Price\nmug,Mug,A,5\ncup,"Cup"x,B,6\njug,Jug,C,7,8\npot,Pot,D,8\n'
    products, faults = shop_products(write(tmp_path, content), "shopify")
    assert [one["name"] for one in products] == ["Mug", "Pot"]
    assert [fault.line for fault in faults] == [3, 4]


@pytest.mark.parametrize("shop", SHOPS)
def test_a_file_of_something_else_is_refused(tmp_path: Path, shop: str) -> None:
    for content in ("a,b\n1,2\n", ""):
        with pytest.raises(CannotDo, match=rf"no export of {shop}: columns .* are missing"):
            shop_products(write(tmp_path, content), shop)


def test_html_becomes_text() -> None:
    assert as_text("Plain\ttext  &lt;b&gt;") == "Plain text <b>"
    assert as_text("<p>One<br/>two</p><script>alert(1)</script><style>p {}</style>three<") == "One\ntwo\nthree<"


def test_names_of_attributes_are_those_that_product_svc_takes() -> None:
    assert [attribute_name(one) for one in ("Frame colour", "Größe", "2nd-hand", "尺寸", "x" * 99)] == [
        *("frame_colour", "gr_e", "nd-hand", ""),
        "x" * 64,
    ]
