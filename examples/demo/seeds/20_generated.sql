-- A shop's year, the same on every run: hashes stand in for chance.
insert into shop.customers (id, email, name, joined_at)
select n, 'user' || n || '@example.com', initcap(left(md5(n::text), 4)) || ' ' || initcap(substr(md5(n::text), 5, 6)),
    timestamptz '2025-01-01 00:00 UTC' + n * interval '17 minutes'
from generate_series(1, 20000) n;

insert into shop.orders (id, customer_id, placed_at, status)
select md5('order ' || n)::uuid, 1 + (hashint4(n) & 2147483647) % 20000,
    timestamptz '2025-02-01 00:00 UTC' + n * interval '4 minutes',
    (array['open', 'paid', 'shipped', 'shipped', 'shipped', 'returned'])[1 + n % 6]
from generate_series(1, 80000) n;

insert into shop.order_lines (order_id, line, product_id, quantity, price)
select md5('order ' || n)::uuid, line, 1 + (hashint4(n * 31 + line) & 2147483647) % 64, 1 + (n + line) % 5,
    round((5 + (hashint4(n + line) & 1023) / 100.0)::numeric, 2)
from generate_series(1, 80000) n, generate_series(1, 1 + n % 4) line;

insert into shop.events (at, body)
select timestamptz '2025-02-01 00:00 UTC' + n * interval '6 minutes',
    jsonb_build_object('kind', (array['view', 'click', 'search', 'pay'])[1 + n % 4], 'session', md5('s' || n / 7),
        'ms', (hashint4(n) & 4095), 'tags', to_jsonb(array['t' || n % 9, 'ünïcode', null]))
from generate_series(1, 50000) n;
