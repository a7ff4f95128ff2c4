"""The catalogue: categories and products. What is there of each SKU is told in the files beside this folder."""
