-- The one database of the product.
CREATE DATABASE IF NOT EXISTS ribscope
