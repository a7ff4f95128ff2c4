// Runs once, on an empty data volume: the user of product_svc, who owns its database and reaches no other.
db.getSiblingDB("product_svc").createUser({
  user: "product_svc",
  pwd: process.env.PRODUCT_DB_PASSWORD,
  roles: ["readWrite", "dbAdmin"],
});
