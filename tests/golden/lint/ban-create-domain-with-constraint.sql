create domain d as int check (value > 0);
create domain d as int not null;
create domain d as int;
create domain d as int default 1;
-- expect: ban-create-domain-with-constraint 1
-- expect: ban-create-domain-with-constraint 2
