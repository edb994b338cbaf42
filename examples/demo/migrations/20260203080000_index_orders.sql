-- migrate:up transaction:false
create index concurrently if not exists orders_by_customer on shop.orders (customer_id, placed_at);

-- migrate:down transaction:false
drop index concurrently if exists shop.orders_by_customer;
