-- migrate:up
create table shop.order_lines (
    order_id uuid not null references shop.orders on delete cascade,
    line int not null,
    product_id int not null references shop.products,
    quantity int not null check (quantity > 0),
    price numeric(10, 2) not null,
    primary key (order_id, line)
);

create table shop.events (
    id bigserial primary key,
    at timestamptz not null,
    body jsonb not null
);

create view shop.revenue as
select date_trunc('month', o.placed_at) as month, sum(l.quantity * l.price) as amount
from shop.orders o
join shop.order_lines l on l.order_id = o.id
where o.status <> 'returned'
group by 1;

-- migrate:down
drop view shop.revenue;
drop table shop.events;
drop table shop.order_lines;
