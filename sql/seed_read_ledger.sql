-- Name and hash of every file that was loaded.
select name, sha256 from pgc.seed
