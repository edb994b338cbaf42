create schema "Sales";
create table "Orders" (a int);
create table orders (
    id bigint,
    "Total" numeric,
    constraint "Positive" check (id > 0)
);
create index "OrdersIdx" on orders (id);
create index orders_idx on orders (id);
alter table orders add column "Note" text;
alter table orders rename column id to "Id";
alter table orders add constraint "Fk" foreign key (id) references o (id);
-- options: --naming ^[a-z_]+$
-- expect: naming-convention 1
-- expect: naming-convention 2
-- expect: naming-convention 5
-- expect: naming-convention 6
-- expect: naming-convention 8
-- expect: naming-convention 10
-- expect: naming-convention 11
-- expect: naming-convention 12
