alter domain d add constraint c check (value > 0);
alter domain d drop constraint c;
alter domain d set not null;
-- expect: ban-alter-domain-with-add-constraint 1
