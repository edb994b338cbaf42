-- Which cluster this is, for ever. Needs execute on pg_control_system().
select system_identifier::numeric + case when system_identifier < 0 then 18446744073709551616 else 0 end
from pg_control_system()
