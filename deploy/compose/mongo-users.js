// Runs once, on an empty data volume: the user of product_svc, who owns its database and reaches no other.
db.getSiblingDB("product_svc").createUser({
  user: "product_svc",
  pwd: require("fs").readFileSync("/run/secrets/product-db-password", "utf8").trim(),
  roles: ["readWrite", "dbAdmin"],
});
