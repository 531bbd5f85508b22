package items

const idempotencyHeader = "Idempotency-Key"
